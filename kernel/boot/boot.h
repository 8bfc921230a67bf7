/*
 * boot.h - the stages of the boot, in the order in which main.c calls them. boot_NAME() is in
 * boot_NAME.c.
 *
 * A stage prints a line `[stage] key=value …` (docs/LOG.md). A stage that cannot complete panics
 * with a code of its own.
 */
#ifndef KERNEL_BOOT_BOOT_H
#define KERNEL_BOOT_BOOT_H

#include "kernel/kernel.h"

/* [handoff] Check what the loader handed over, open the screen, print the loader's log.
 * `handoff` is the value of the first argument register at entry. */
void boot_handoff(struct kernel *kernel, const void *handoff);

/* [early-heap] The temporary heap, or the fallback region inside the image. */
void boot_early_heap(struct kernel *kernel);

/* [cpu] The kernel's own descriptor tables and fault handlers; protections on. */
void boot_cpu(struct kernel *kernel);

/* [frames] Physical memory. */
void boot_frames(struct kernel *kernel);

/* [paging], first half: build the kernel's own address space and its stacks, and call
 * `next(kernel)` on the new tables and the new stack. */
_Noreturn void boot_paging(struct kernel *kernel, void (*next)(void *kernel));

/* [paging], second half: audit the live tables and reclaim the loader's memory. */
void boot_reclaim(struct kernel *kernel);

/* [heap] The permanent heap. */
void boot_heap(struct kernel *kernel);

/* [self-test] */
void boot_self_test(struct kernel *kernel);

/* [early-heap] Retire it: untouched frames go back to the frame allocator. */
void boot_retire(struct kernel *kernel);

/* [map] With the word `print-map` on the command line: audit the tables once more, and print what
 * is mapped, and how. */
void boot_print_map(struct kernel *kernel);

/* [timeline] and [ready]; then off (command line `once`), or the kernel stays. */
_Noreturn void boot_ready(struct kernel *kernel);

#endif
