/*
 * print_early_heap.h - the early heap in the log, stages [early-heap-stats] and [early-heap-map];
 * `print-early-heap` on the command line.
 */
#ifndef KERNEL_DIAGNOSTICS_PRINT_EARLY_HEAP_H
#define KERNEL_DIAGNOSTICS_PRINT_EARLY_HEAP_H

#include "kernel/mm/early_heap.h"

/* Log the memory that each phase allocated, the sum, and a map of the heap. It works after the
 * heap's retirement too. */
void print_early_heap(const struct early_heap *heap);

#endif
