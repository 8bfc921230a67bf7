/*
 * layout_place.h - the name of the area of the kernel's address space that has an address.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_MM_LAYOUT_PLACE_H
#define KERNEL_MM_LAYOUT_PLACE_H

#include "shared/address.h"

/* "the direct map", "the heap's window", … as kernel/mm/layout.h divides it. `levels` is the number
 * of levels of the page tables. Constant; never NULL. */
const char *layout_place(struct virt_addr address, unsigned levels);

#endif
