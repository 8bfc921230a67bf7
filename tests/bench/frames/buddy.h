/*
 * buddy.h - a binary buddy allocator of frames, to compare with: blocks of 2^order frames, a list
 * of free blocks for each order, two links and the order for every frame (Knuth, The Art of
 * Computer Programming, vol. 1, 2.5).
 */
#ifndef TESTS_BENCH_FRAMES_BUDDY_H
#define TESTS_BENCH_FRAMES_BUDDY_H

#include <stdbool.h>
#include <stdint.h>

#define BUDDY_ORDER_MAX 18U /* 1 GiB */

struct buddy_frame {
    uint32_t next; /* in the list of its order; BUDDY_NONE at the end */
    uint32_t previous;
    uint8_t order; /* BUDDY_NOT_FREE unless the frame begins a free block */
};

#define BUDDY_NONE     UINT32_MAX
#define BUDDY_NOT_FREE 0xffU

struct buddy {
    struct buddy_frame *frames;
    uint64_t frame_count;
    uint32_t heads[BUDDY_ORDER_MAX + 1];
};

/* All of `frame_count` frames, a multiple of 64 and below 2^32, are free. `memory` has a struct
 * buddy_frame for each. */
void buddy_initialise(struct buddy *buddy, void *memory, uint64_t frame_count);

/* A block of 2^order frames, aligned to its size. */
bool buddy_get(struct buddy *buddy, unsigned order, uint64_t *ret_first);

/* False if the block begins a free one; other double frees are not noticed. */
bool buddy_put(struct buddy *buddy, uint64_t first, unsigned order);

#endif
