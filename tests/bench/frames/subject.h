/* An allocator of single frames, behind an interface that is the same for all. The callbacks cost
 * the same for all: a caller in another file also pays for a call. */
#ifndef TESTS_BENCH_FRAMES_SUBJECT_H
#define TESTS_BENCH_FRAMES_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

struct subject {
    const char *name;
    void *state;
    bool (*get)(void *state, uint64_t *ret_frame);
    bool (*put)(void *state, uint64_t frame);
    uint64_t frame_unit; /* bytes for each step of its numbers: 1 = bytes, 4096 = frames */
};

#endif
