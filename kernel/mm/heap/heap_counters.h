/*
 * heap_counters.h - the figures that each operation must count. Sizes of blocks are the requested
 * sizes.
 *
 * heap_statistics() finds the other figures by a walk over the heap.
 */
#ifndef KERNEL_MM_HEAP_HEAP_COUNTERS_H
#define KERNEL_MM_HEAP_HEAP_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_counters {
    size_t peak_used_bytes;
    size_t below_peak_bytes; /* peak_used_bytes - used bytes: one subtraction finds a new peak */
    uint64_t free_count;
    uint64_t failure_count; /* requests that returned NULL */
    uint64_t fault_count;   /* reported faults; the operation that reports one fails */
};

/* Used bytes have a new peak: the subtraction went below 0. The value is read again, so that the
 * usual subtraction is one instruction on memory. */
static inline void heap_counters_set_peak(struct heap_counters *counters)
{
    counters->peak_used_bytes -= *(volatile size_t *)&counters->below_peak_bytes;
    counters->below_peak_bytes = 0;
}

/* Count a block that was allocated. */
static inline void heap_counters_allocate(struct heap_counters *counters, size_t size_bytes)
{
    bool is_new_peak = counters->below_peak_bytes < size_bytes;
    counters->below_peak_bytes -= size_bytes;
    if (__builtin_expect(is_new_peak, 0))
        heap_counters_set_peak(counters);
}

/* Count blocks that were freed, `size_bytes` together. */
static inline void heap_counters_free(struct heap_counters *counters, size_t block_count,
                                      size_t size_bytes)
{
    counters->free_count += block_count;
    counters->below_peak_bytes += size_bytes;
}

/* Count a block whose size changed from `old_bytes` to `new_bytes`. */
static inline void heap_counters_resize(struct heap_counters *counters, size_t old_bytes,
                                        size_t new_bytes)
{
    counters->below_peak_bytes += old_bytes;
    heap_counters_allocate(counters, new_bytes);
}

static inline size_t heap_counters_used_bytes(const struct heap_counters *counters)
{
    return counters->peak_used_bytes - counters->below_peak_bytes;
}

#endif
