/*
 * panic_memory.h - the state of frames and heap in the report of a panic.
 *
 * It reads counters only: the panic may come from inside of the heap, with its lock held, or from a
 * list that is broken.
 */
#ifndef KERNEL_DIAGNOSTICS_PANIC_MEMORY_H
#define KERNEL_DIAGNOSTICS_PANIC_MEMORY_H

#include "kernel/kernel.h"

/* Print them in each panic from now on, if they are initialised then. *kernel must stay valid. */
void panic_memory_open(const struct kernel *kernel);

#endif
