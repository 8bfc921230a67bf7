/*
 * heap_counters.h - the figures that each operation must count. Sizes of blocks are the requested
 * sizes.
 *
 * heap_statistics() finds the other figures by a walk over the heap.
 */
#ifndef KERNEL_MM_HEAP_HEAP_COUNTERS_H
#define KERNEL_MM_HEAP_HEAP_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

struct heap_counters {
    size_t peak_used_bytes;
    size_t below_peak_bytes; /* peak_used_bytes - used bytes: one subtraction finds a new peak */
    uint64_t free_count;
    uint64_t failure_count; /* requests that returned NULL */
    uint64_t fault_count;   /* reported faults; the operation that reports one fails */
};

/* Count a block that was allocated. If the subtraction goes below 0, used bytes have a new peak. */
static inline void heap_counters_allocate(struct heap_counters *counters, size_t size_bytes)
{
    if (__builtin_sub_overflow(counters->below_peak_bytes, size_bytes,
                               &counters->below_peak_bytes)) {
        counters->peak_used_bytes -= counters->below_peak_bytes;
        counters->below_peak_bytes = 0;
    }
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
