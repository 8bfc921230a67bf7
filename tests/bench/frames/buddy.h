/*
 * buddy.h - a binary buddy allocator of frames, for comparison. Its blocks have 2^order frames, and
 * each order has a list of free blocks. Every frame has two links and an order (Knuth, The Art of
 * Computer Programming, vol. 1, 2.5).
 */
#ifndef TESTS_BENCH_FRAMES_BUDDY_H
#define TESTS_BENCH_FRAMES_BUDDY_H

#include <stdbool.h>
#include <stdint.h>

#define BUDDY_ORDER_MAX 18U /* 1 GiB */

struct buddy_frame {
    uint32_t next; /* the next block of the same order, or BUDDY_NONE */
    uint32_t previous;
    uint8_t order; /* BUDDY_NOT_FREE if no free block begins here */
};

#define BUDDY_NONE     UINT32_MAX
#define BUDDY_NOT_FREE 0xffU

struct buddy {
    struct buddy_frame *frames;
    uint64_t frame_count;
    uint32_t heads[BUDDY_ORDER_MAX + 1];
};

/* All frames are free at first. `frame_count` is a multiple of 64 and below 2^32. `memory` has room
 * for a struct buddy_frame for each frame. */
void buddy_initialise(struct buddy *buddy, void *memory, uint64_t frame_count);

/* Allocate a block of 2^order frames, aligned to its size. */
bool buddy_get(struct buddy *buddy, unsigned order, uint64_t *ret_first);

/* Return false if a free block begins here. Other double frees are not noticed. */
bool buddy_put(struct buddy *buddy, uint64_t first, unsigned order);

#endif
