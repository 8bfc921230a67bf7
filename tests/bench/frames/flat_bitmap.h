/*
 * flat_bitmap.h - the frame allocator that most small kernels have, to compare with: one bit a
 * frame, searched from where the last search ended.
 */
#ifndef TESTS_BENCH_FRAMES_FLAT_BITMAP_H
#define TESTS_BENCH_FRAMES_FLAT_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

struct flat_bitmap {
    uint64_t *words; /* a set bit is a free frame */
    uint64_t word_count;
    uint64_t next_word; /* where the next search begins */
};

/* All of `frame_count` frames, a multiple of 64, are free. `memory` has one bit for each. */
void flat_bitmap_initialise(struct flat_bitmap *bitmap, void *memory, uint64_t frame_count);

bool flat_bitmap_get(struct flat_bitmap *bitmap, uint64_t *ret_frame);

/* False on a double free. */
bool flat_bitmap_put(struct flat_bitmap *bitmap, uint64_t frame);

/* The lowest aligned run. */
bool flat_bitmap_get_run(struct flat_bitmap *bitmap, uint64_t count, uint64_t alignment,
                         uint64_t *ret_first);

#endif
