/*
 * bring_up.h - the stages of the boot, in the order in which main.c calls them. Each prints one
 * line
 * `[stage] key=value …` (docs/LOG.md); what cannot go on panics with a code of its own.
 */
#ifndef KERNEL_BOOT_BRING_UP_H
#define KERNEL_BOOT_BRING_UP_H

#include "kernel/kernel.h"

/* [handoff] Prove what the loader handed over, bring up the screen, show the loader's log.
 * `handoff` is the value of the first argument register at entry. */
void bring_up_handoff(struct kernel *kernel, const void *handoff);

/* [early-heap] The temporary heap, or the fixed region inside the image. */
void bring_up_early_heap(struct kernel *kernel);

/* [cpu] Own descriptor tables and fault handlers; protections on. */
void bring_up_cpu(struct kernel *kernel);

/* [frames] Physical memory. */
void bring_up_frames(struct kernel *kernel);

/* [paging], first half: build the kernel's own address space and its stacks, and go on in
 * `next(kernel)` on the new tables and the new stack. */
_Noreturn void bring_up_paging(struct kernel *kernel, void (*next)(void *kernel));

/* [paging], second half: audit the live tables and take back what the loader used. */
void bring_up_paging_audit(struct kernel *kernel);

/* [heap] The permanent heap. */
void bring_up_heap(struct kernel *kernel);

/* [self-test] */
void bring_up_self_test(struct kernel *kernel);

/* [early-heap] Retire it: untouched frames go back. */
void bring_up_retire_early_heap(struct kernel *kernel);

/* [map] With the word `print-map` on the command line: what is mapped, and how; and an audit of it.
 */
void bring_up_print_map(struct kernel *kernel);

/* [timeline] and [ready]; then off (command line `once`), or the kernel stays. */
_Noreturn void bring_up_ready(struct kernel *kernel);

#endif
