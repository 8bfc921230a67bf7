/*
 * print_leaks.h - print the call sites that hold the permanent heap's live blocks, stage [leak];
 * `print-leaks` on the command line.
 */
#ifndef KERNEL_DIAGNOSTICS_PRINT_LEAKS_H
#define KERNEL_DIAGNOSTICS_PRINT_LEAKS_H

#include "kernel/mm/heap/include/handoff/heap.h"

/* Log a line for each call site that holds live blocks, and the sum of the others. */
void print_leaks(const struct heap *heap);

#endif
