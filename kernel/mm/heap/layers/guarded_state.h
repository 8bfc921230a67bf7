/*
 * guarded_state.h - the state of the layer of guarded.h. Private.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_STATE_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_STATE_H

#include "kernel/mm/heap/include/handoff/guarded.h"
#include "kernel/mm/heap/layer.h"

/* A lane has at least four places. With this number of lanes, the places of the last lane have 64
 * GiB. */
#define GUARDED_LANE_LIMIT 24

enum guarded_life { GUARDED_LIVE, GUARDED_FREED };

/* The record of a place that was used. */
struct guarded_record {
    uintptr_t block;
    size_t size_bytes; /* as requested */
    const void *allocated_by;
    const void *freed_by;
    uint32_t next_freed; /* in the lane: freed after this one */
    uint8_t alignment_shift;
    uint8_t life;
};

struct guarded_lane {
    struct guarded_record *records; /* one for each place; mapped as far as needed */
    size_t records_usable_bytes;
    uint32_t place_count;
    uint32_t touched_count; /* the places that were ever used are the first */
    uint32_t freed_count;
    uint32_t oldest_freed;
    uint32_t newest_freed;
};

struct guarded {
    struct heap_layer layer;
    uintptr_t base;
    size_t window_bytes;
    size_t large_bytes;
    uint64_t countdown; /* to the next sampled block; from 0, which never comes back, for none */
    uint64_t sample_interval;
    struct guarded_pages pages;
    uint64_t random;
    uint64_t canary;
    uintptr_t lanes_start;
    unsigned lane_shift; /* a lane has 2^lane_shift bytes of addresses */
    unsigned lane_count;
    size_t usable_bytes; /* records and blocks */
    size_t live_count;
    uint64_t sampled_count;   /* so far */
    uint64_t unguarded_count; /* large or chosen, but there was no page or place: so far */
    struct guarded_lane lanes[GUARDED_LANE_LIMIT];
};

/* Precondition: the heap has the layer. */
static inline struct guarded *guarded_of(const struct heap *heap)
{
    return (struct guarded *)(void *)heap->layers[HEAP_LAYER_GUARDED];
}

#endif
