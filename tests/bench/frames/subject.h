/* An allocator of single frames, behind a face that is the same for all. The callbacks cost all
 * alike; they are what a caller in another file pays for a call. */
#ifndef TESTS_BENCH_FRAMES_SUBJECT_H
#define TESTS_BENCH_FRAMES_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

struct subject {
    const char *name;
    void *state;
    bool (*get)(void *state, uint64_t *ret_frame);
    bool (*put)(void *state, uint64_t frame);
    uint64_t frame_unit; /* what its numbers count: 1 = bytes, 4096 = frames */
};

#endif
