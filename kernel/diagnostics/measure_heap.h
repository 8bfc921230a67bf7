/*
 * measure_heap.h - the cost of the kernel's heap and of its lock, for measure.h.
 */
#ifndef KERNEL_DIAGNOSTICS_MEASURE_HEAP_H
#define KERNEL_DIAGNOSTICS_MEASURE_HEAP_H

#include <stdbool.h>

/* Log the cost of kmalloc(), kfree() and krealloc(), lock included, and of the parts of the lock.
 * `newest_first`: the policy frees in no other order, so churn and krealloc() are left out. It
 * frees all memory that it allocates. Phase: after kmalloc_online(). */
void measure_heap(bool newest_first);

#endif
