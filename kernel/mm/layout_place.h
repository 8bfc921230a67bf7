/*
 * layout_place.h - name the area of the kernel's address space that contains an address.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_MM_LAYOUT_PLACE_H
#define KERNEL_MM_LAYOUT_PLACE_H

#include "shared/address.h"

/* Return "the direct map", "the heap's window", …: the areas of kernel/mm/layout.h. `levels` is the
 * number of levels of the page tables. Constant; never NULL. */
const char *layout_place(struct virt_addr address, unsigned levels);

#endif
