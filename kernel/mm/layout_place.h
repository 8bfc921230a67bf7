/*
 * layout_place.h - which part of the kernel's address space an address lies in, in words.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_MM_LAYOUT_PLACE_H
#define KERNEL_MM_LAYOUT_PLACE_H

#include "shared/address.h"

/* "the direct map", "the heap's window", … as kernel/mm/layout.h divides it with so many levels of
 * page tables. Constant; never NULL. */
const char *layout_place(struct virt_addr address, unsigned levels);

#endif
