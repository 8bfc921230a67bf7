/*
 * handoff_ownership.h - the blocks that the loader placed: does the kernel find them where the
 * handoff puts them, and does no free region overlap them? For kernel/handoff/ only.
 *
 * If the structure makes a block too small, or puts it elsewhere, the rest of its memory may lie in
 * a region that is free. So each block is compared with the CPU and the linker, not only with the
 * regions.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_OWNERSHIP_H
#define KERNEL_HANDOFF_HANDOFF_OWNERSHIP_H

#include "kernel/handoff/handoff_validation.h"

/* Check kernel, stack, page tables, loader and the page for starting processors. Precondition: the
 * regions are validated. */
enum handoff_check_status handoff_ownership_check(struct handoff_validation *validation);

#endif
