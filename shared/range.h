/*
 * range.h - half-open ranges [start, end) of 64-bit addresses, with overflow checked once, here.
 *
 * A range is built from foreign numbers by range_from_base_size() alone, which refuses what wraps;
 * everything else may rely on start <= end. A range that ends at 2^64 cannot be expressed and is
 * refused as wrapping: no memory of ours lies in the last page of the address space.
 */
#ifndef SHARED_RANGE_H
#define SHARED_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct range {
    uint64_t start;
    uint64_t end; /* one past the last byte; start <= end */
};

/* Write [base, base + size_bytes) to *ret_range. False, and nothing written, if it wraps. */
static inline bool range_from_base_size(uint64_t base, uint64_t size_bytes, struct range *ret_range)
{
    if (size_bytes > UINT64_MAX - base)
        return false;
    ret_range->start = base;
    ret_range->end = base + size_bytes;
    return true;
}

static inline uint64_t range_size_bytes(struct range range)
{
    return range.end - range.start;
}

static inline bool range_is_empty(struct range range)
{
    return range.start == range.end;
}

/* An empty range overlaps nothing. */
static inline bool range_overlaps(struct range a, struct range b)
{
    return !range_is_empty(a) && !range_is_empty(b) && a.start < b.end && b.start < a.end;
}

static inline bool range_contains_address(struct range range, uint64_t address)
{
    return address >= range.start && address < range.end;
}

static inline bool range_contains(struct range outer, struct range inner)
{
    return inner.start >= outer.start && inner.end <= outer.end;
}

#endif
