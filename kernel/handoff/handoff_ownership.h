/*
 * handoff_ownership.h - what the loader placed: is it what the kernel finds, and does nobody else
 * get it? For kernel/handoff/ only.
 *
 * A block that the structure makes too small, or puts elsewhere, has the rest of its memory in a
 * region that the kernel takes for free. So each block is compared with what the CPU and the linker
 * say, not with the regions only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_OWNERSHIP_H
#define KERNEL_HANDOFF_HANDOFF_OWNERSHIP_H

#include "kernel/handoff/handoff_proof.h"

/* Check kernel, stack, page tables, loader and the page for starting processors. Precondition: the
 * regions are proven. */
enum handoff_check_status handoff_ownership_check(struct handoff_proof *proof);

#endif
