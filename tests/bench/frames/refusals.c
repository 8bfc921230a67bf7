#define _DEFAULT_SOURCE

#include "tests/bench/frames/refusals.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS       9U
#define PIECES_MAX 64U

const struct refusal_pattern refusal_patterns[] = {
    {"80 of 81: 95", 81, 95, 1},
    {"80 of 81: 96", 81, 96, 1},
    {"63 of 64: 1 at 64", 64, 1, 64},
    {"63 of 64: 16 at 64", 64, 16, 64},
    {"511 of 512: 256 at 512", 512, 256, 512},
    {"511 of 512: 512 at 512", 512, 512, 512},
    {"3 of 4: 3 at 4", 4, 3, 4},
    {"65535 of 65536: 65536", 65536, 65536, 1},
};

const size_t refusal_pattern_count = sizeof(refusal_patterns) / sizeof(refusal_patterns[0]);

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "bench_frames: %s\n", what);
    exit(1);
}

static double now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void fragment_piece(struct frame_allocator *frames, struct frame_range piece,
                           uint64_t period)
{
    uint64_t used = (piece.start + period - 1) / period * period;
    for (; used + period <= piece.end; used += period)
        frame_allocator_free_contiguous(frames, phys_addr((used + 1) * FRAME_SIZE_BYTES),
                                        period - 1);
}

/* Return a used frame in the middle of the largest piece. */
static uint64_t fragment(struct frame_allocator *frames, uint64_t period)
{
    struct frame_range pieces[PIECES_MAX];
    uint64_t middle = 0;
    unsigned count = 0;
    uint64_t length;
    while ((length = frame_allocator_largest_run(frames)) > 0) {
        struct phys_addr base;
        require(count < PIECES_MAX, "too many pieces of memory");
        require(
            frame_allocator_allocate_contiguous(frames, length, 1, FRAME_ALLOCATOR_ANYWHERE, &base),
            "the largest run cannot be allocated");
        pieces[count] = frame_range(frame_at(base), frame_at(base) + length);
        if (count++ == 0)
            middle = (pieces[0].start + length / 2) / period * period;
    }
    for (unsigned i = 0; i < count; i++)
        fragment_piece(frames, pieces[i], period);
    return middle;
}

static struct refusal_cost refuse(struct frame_allocator *frames,
                                  const struct refusal_pattern *pattern)
{
    uint64_t steps = frame_allocator_statistics(frames).run_search_step_count;
    struct phys_addr base;
    double began = now_ns();
    bool found = frame_allocator_allocate_contiguous(
        frames, pattern->frame_count, pattern->alignment_frames, FRAME_ALLOCATOR_ANYWHERE, &base);
    double took = now_ns() - began;
    require(!found, "the allocator found a run that cannot exist");
    steps = frame_allocator_statistics(frames).run_search_step_count - steps;
    return (struct refusal_cost){took, steps};
}

static void keep_cheaper(struct refusal_cost *cost, struct refusal_cost other)
{
    if (cost->step_count == 0 || other.ns < cost->ns)
        *cost = other;
}

static void take(struct frame_allocator *frames, uint64_t frame)
{
    struct phys_addr base;
    require(frame_allocator_allocate_contiguous(
                frames, 1, 1, phys_range(frame * FRAME_SIZE_BYTES, (frame + 1) * FRAME_SIZE_BYTES),
                &base),
            "a frame that must be free is not free");
}

struct refusal_costs refusals_measure(struct frame_allocator *frames,
                                      const struct refusal_pattern *pattern)
{
    struct refusal_costs costs = {0};
    uint64_t used = fragment(frames, pattern->period);
    costs.first = refuse(frames, pattern);
    for (unsigned run = 0; run < RUNS; run++) {
        keep_cheaper(&costs.further, refuse(frames, pattern));
        /* Take one frame of a run and free it: no run gets longer. */
        take(frames, used + 1);
        frame_allocator_free(frames, phys_addr((used + 1) * FRAME_SIZE_BYTES));
        keep_cheaper(&costs.after_a_free, refuse(frames, pattern));
        /* Join two runs and divide them again: for a moment, the requested run exists. */
        struct phys_addr base;
        frame_allocator_free(frames, phys_addr(used * FRAME_SIZE_BYTES));
        require(frame_allocator_allocate_contiguous(frames, pattern->frame_count,
                                                    pattern->alignment_frames,
                                                    FRAME_ALLOCATOR_ANYWHERE, &base),
                "the allocator does not find a run that exists");
        keep_cheaper(&costs.after_a_removal, refuse(frames, pattern));
        frame_allocator_free_contiguous(frames, base, pattern->frame_count);
        take(frames, used);
        (void)refuse(frames, pattern);
    }
    return costs;
}
