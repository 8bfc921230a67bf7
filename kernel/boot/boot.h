/*
 * boot.h - the stages of the boot, in the order in which main.c calls them. boot_NAME() is in
 * boot_NAME.c.
 *
 * A stage prints a line `[stage] key=value …` (docs/LOG.md). Each stage has its own panic code for
 * a failure.
 */
#ifndef KERNEL_BOOT_BOOT_H
#define KERNEL_BOOT_BOOT_H

#include "kernel/kernel.h"

/* [handoff] Check the handoff, open the screen, and print the loader's log. `handoff` is the value
 * of the first argument register at entry. */
void boot_handoff(struct kernel *kernel, const void *handoff);

/* [early-heap] Start the early heap in the temporary heap, or in the fallback region inside the
 * image. */
void boot_early_heap(struct kernel *kernel);

/* [cpu] Load the kernel's descriptor tables and fault handlers, and switch protections on. */
void boot_cpu(struct kernel *kernel);

/* [frames] Start the frame allocator. */
void boot_frames(struct kernel *kernel);

/* [paging], first half: build the kernel's own address space and its stacks, and call
 * `next(kernel)` on the new tables and the new stack. */
_Noreturn void boot_paging(struct kernel *kernel, void (*next)(void *kernel));

/* [paging], second half: audit the live tables and reclaim the loader's memory. */
void boot_reclaim(struct kernel *kernel);

/* [heap] Start the permanent heap. */
void boot_heap(struct kernel *kernel);

/* [self-test] Use and check the whole memory stack. */
void boot_self_test(struct kernel *kernel);

/* [early-heap] Retire it: its unused frames become free. */
void boot_retire(struct kernel *kernel);

/* [map] With the word `print-map` on the command line: audit the tables once more, and print what
 * is mapped, and how. */
void boot_print_map(struct kernel *kernel);

/* [timeline] and [ready]. Then the kernel switches off (command line `once`), or stays. */
_Noreturn void boot_ready(struct kernel *kernel);

#endif
