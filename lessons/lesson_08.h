/*
 * lesson_08.h - what docs/learn/exercises/lesson_08.c defines.
 */
#ifndef LESSONS_LESSON_08_H
#define LESSONS_LESSON_08_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/judge.h"
#include "lessons/piece.h"

/* Numbers that a heap keeps up to date. All begin with 0. */
struct statistics {
    uint64_t used_bytes;       /* of all used pieces together, with headers and rounding */
    uint64_t requested_bytes;  /* of all blocks that are in use, as their users asked for them */
    uint64_t peak_bytes;       /* the largest value that used_bytes ever had */
    uint64_t block_count;      /* blocks that are in use now */
    uint64_t allocation_count; /* requests that got a block, since the start */
    uint64_t failed_count;     /* requests that got NULL, since the start */
};

/* Numbers that somebody has to look for: they are true at one moment. */
struct survey {
    uint64_t free_bytes;             /* of all free pieces together */
    uint64_t largest_free_bytes;     /* of the largest free piece; 0 if no piece is free */
    uint64_t fragmentation_permille; /* how much of free_bytes lies outside of the largest piece */
};

struct lesson_08 {
    void (*count_allocation)(struct statistics *statistics, uint64_t requested_bytes,
                             uint64_t piece_bytes);
    void (*count_failure)(struct statistics *statistics, uint64_t requested_bytes);
    void (*count_free)(struct statistics *statistics, uint64_t requested_bytes,
                       uint64_t piece_bytes);
    struct survey (*survey)(const struct piece *pieces, unsigned piece_count);
};

/* The reader's. */
extern const struct lesson_08 lesson_08;

bool lesson_08_run(struct judge *judge);

#endif
