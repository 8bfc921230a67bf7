/*
 * heap_counters.h - what must be counted as it happens. Sizes of blocks are as they were asked for.
 *
 * The other figures of heap_statistics() are found by walking the heap.
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
    uint64_t fault_count;   /* that were reported: an operation that reports one has failed */
};

/* Count a block that was allocated. What the subtraction lacks is how far it makes a new peak. */
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

/* Count a block of `old_bytes` that has become one of `new_bytes`. */
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
