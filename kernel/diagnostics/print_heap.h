/*
 * print_heap.h - the permanent heap in the log, stages [heap-stats] and [heap-map]; `print-heap` on
 * the command line.
 */
#ifndef KERNEL_DIAGNOSTICS_PRINT_HEAP_H
#define KERNEL_DIAGNOSTICS_PRINT_HEAP_H

#include "kernel/mm/heap/include/handoff/heap.h"

/* Log the figures, the sizes of the live blocks, and a map of the heap. `when` is a word for the
 * moment. */
void print_heap(const struct heap *heap, const char *when);

#endif
