/*
 * flat_bitmap.h - the frame allocator that most small kernels have, for comparison. It has one bit
 * for each frame. A search begins at the end of the last search.
 */
#ifndef TESTS_BENCH_FRAMES_FLAT_BITMAP_H
#define TESTS_BENCH_FRAMES_FLAT_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

struct flat_bitmap {
    uint64_t *words; /* a set bit is a free frame */
    uint64_t word_count;
    uint64_t next_word; /* the next search begins here */
};

/* All frames are free at first. `frame_count` is a multiple of 64. `memory` has a bit for each. */
void flat_bitmap_initialise(struct flat_bitmap *bitmap, void *memory, uint64_t frame_count);

bool flat_bitmap_get(struct flat_bitmap *bitmap, uint64_t *ret_frame);

/* Return false on a double free. */
bool flat_bitmap_put(struct flat_bitmap *bitmap, uint64_t frame);

/* Allocate the lowest aligned run. */
bool flat_bitmap_get_run(struct flat_bitmap *bitmap, uint64_t count, uint64_t alignment,
                         uint64_t *ret_first);

#endif
