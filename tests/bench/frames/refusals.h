/*
 * refusals.h - the cost of a request for a run that does not exist, by pattern of fragmentation.
 */
#ifndef TESTS_BENCH_FRAMES_REFUSALS_H
#define TESTS_BENCH_FRAMES_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/frames/frame_allocator.h"

/* Of `period` frames the first one (its number is a multiple) is used. All others are free. */
struct refusal_pattern {
    const char *name;
    uint64_t period;
    uint64_t frame_count; /* of the request, which is refused */
    uint64_t alignment_frames;
};

extern const struct refusal_pattern refusal_patterns[];
extern const size_t refusal_pattern_count;

struct refusal_cost {
    double ns;
    uint64_t step_count; /* words and bounds that were read */
};

struct refusal_costs {
    struct refusal_cost first;
    struct refusal_cost further;         /* the cheapest of several */
    struct refusal_cost after_a_free;    /* after a free of one frame: the cheapest of several */
    struct refusal_cost after_a_removal; /* after a free and a get of a run: the cheapest */
};

/* Precondition: all frames of the allocator are free. */
struct refusal_costs refusals_measure(struct frame_allocator *frames,
                                      const struct refusal_pattern *pattern);

#endif
