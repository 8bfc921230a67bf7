/*
 * refusals.h - what it costs that there is no run as asked for, by pattern of fragmentation.
 */
#ifndef TESTS_BENCH_FRAMES_REFUSALS_H
#define TESTS_BENCH_FRAMES_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/frames/frame_allocator.h"

/* Of `period` frames the first, at a multiple of it, is used, and all others are free. */
struct refusal_pattern {
    const char *name;
    uint64_t period;
    uint64_t frame_count; /* of a request that is refused */
    uint64_t alignment_frames;
};

extern const struct refusal_pattern refusal_patterns[];
extern const size_t refusal_pattern_count;

struct refusal_cost {
    double ns;
    uint64_t step_count; /* words and bounds looked at */
};

struct refusal_costs {
    struct refusal_cost first;
    struct refusal_cost further;         /* the cheapest of some */
    struct refusal_cost after_a_free;    /* of one frame: the cheapest of some */
    struct refusal_cost after_a_removal; /* a run was freed, and taken: the cheapest of some */
};

/* Precondition: all frames that the allocator has are free. */
struct refusal_costs refusals_measure(struct frame_allocator *frames,
                                      const struct refusal_pattern *pattern);

#endif
