/*
 * range.h - half-open ranges [start, end) of 64-bit addresses, with overflow checked once, here.
 *
 * Only phys_range_from_base_size() and virt_range_from_base_size() build a range from foreign
 * numbers. They refuse ranges that wrap. All other code relies on start <= end. A range that ends
 * at 2^64 cannot be expressed and is refused as wrapping: the project uses no memory in the last
 * page of the address space.
 */
#ifndef SHARED_RANGE_H
#define SHARED_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"

/* A physical and a virtual range are two types, like the addresses. Frames are counted by number,
 * so a range of frames has a size in frames. */

struct phys_range {
    struct phys_addr start;
    struct phys_addr end; /* one past the last byte; start <= end */
};

struct virt_range {
    struct virt_addr start;
    struct virt_addr end; /* one past the last byte; start <= end */
};

struct frame_range {
    uint64_t start; /* the number of the first frame */
    uint64_t end;   /* one past the last frame; start <= end */
};

static inline struct phys_range phys_range(uint64_t start, uint64_t end)
{
    return (struct phys_range){{start}, {end}};
}

static inline struct virt_range virt_range(uint64_t start, uint64_t end)
{
    return (struct virt_range){{start}, {end}};
}

/* Write [base, base + size_bytes) to *ret_range. Return false, and write nothing, if it wraps. */
static inline bool phys_range_from_base_size(struct phys_addr base, uint64_t size_bytes,
                                             struct phys_range *ret_range)
{
    if (size_bytes > UINT64_MAX - base.value)
        return false;
    *ret_range = phys_range(base.value, base.value + size_bytes);
    return true;
}

static inline bool virt_range_from_base_size(struct virt_addr base, uint64_t size_bytes,
                                             struct virt_range *ret_range)
{
    if (size_bytes > UINT64_MAX - base.value)
        return false;
    *ret_range = virt_range(base.value, base.value + size_bytes);
    return true;
}

static inline uint64_t phys_range_size_bytes(struct phys_range range)
{
    return range.end.value - range.start.value;
}

static inline uint64_t virt_range_size_bytes(struct virt_range range)
{
    return range.end.value - range.start.value;
}

static inline struct frame_range frame_range(uint64_t start, uint64_t end)
{
    return (struct frame_range){start, end};
}

static inline uint64_t frame_range_count(struct frame_range range)
{
    return range.end - range.start;
}

static inline bool phys_range_is_empty(struct phys_range range)
{
    return range.start.value == range.end.value;
}

static inline bool virt_range_is_empty(struct virt_range range)
{
    return range.start.value == range.end.value;
}

static inline bool frame_range_is_empty(struct frame_range range)
{
    return range.start == range.end;
}

/* An empty range overlaps nothing. */
static inline bool phys_range_overlaps(struct phys_range a, struct phys_range b)
{
    return !phys_range_is_empty(a) && !phys_range_is_empty(b) && a.start.value < b.end.value &&
           b.start.value < a.end.value;
}

static inline bool virt_range_overlaps(struct virt_range a, struct virt_range b)
{
    return !virt_range_is_empty(a) && !virt_range_is_empty(b) && a.start.value < b.end.value &&
           b.start.value < a.end.value;
}

static inline bool frame_range_overlaps(struct frame_range a, struct frame_range b)
{
    return !frame_range_is_empty(a) && !frame_range_is_empty(b) && a.start < b.end &&
           b.start < a.end;
}

static inline bool phys_range_contains_address(struct phys_range range, struct phys_addr address)
{
    return address.value >= range.start.value && address.value < range.end.value;
}

static inline bool virt_range_contains_address(struct virt_range range, struct virt_addr address)
{
    return address.value >= range.start.value && address.value < range.end.value;
}

static inline bool phys_range_contains(struct phys_range outer, struct phys_range inner)
{
    return inner.start.value >= outer.start.value && inner.end.value <= outer.end.value;
}

static inline bool virt_range_contains(struct virt_range outer, struct virt_range inner)
{
    return inner.start.value >= outer.start.value && inner.end.value <= outer.end.value;
}

#endif
