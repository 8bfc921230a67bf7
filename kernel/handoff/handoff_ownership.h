/*
 * handoff_ownership.h - check that the loader's blocks are at their places in the handoff, and that
 * no free region overlaps them. For kernel/handoff/ only.
 *
 * If the structure states a wrong place or too small a size for a block, a part of its memory may
 * lie in a free region. So each block is compared with facts from the CPU and the linker, not only
 * with the regions.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_OWNERSHIP_H
#define KERNEL_HANDOFF_HANDOFF_OWNERSHIP_H

#include "kernel/handoff/handoff_validation.h"

/* Check kernel, stack, page tables, loader and the page for starting processors. Precondition: the
 * regions are validated. */
enum handoff_check_status handoff_ownership_check(struct handoff_validation *validation);

#endif
