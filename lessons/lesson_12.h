/*
 * lesson_12.h - what docs/learn/exercises/lesson_12.c defines.
 */
#ifndef LESSONS_LESSON_12_H
#define LESSONS_LESSON_12_H

#include <stddef.h>
#include <stdint.h>

#include "lessons/judge.h"

/* The bytes that the heap leaves free behind each block for the canary. */
#define CANARY_BYTES 8u

/* The 16 bytes in front of each block. The state is next to the block, so a write before the block
 * changes it first. */
struct header {
    uint64_t size_bytes; /* of the block, without header and canary */
    uint64_t state;      /* one of two words that you choose: the block is live, or it was freed */
};

enum verdict {
    ALL_RIGHT,
    OVERRUN,          /* code wrote behind the block */
    UNDERRUN,         /* code wrote in front of the block */
    WRITE_AFTER_FREE, /* code wrote to a freed block */
    DOUBLE_FREE,      /* the block was freed before */
    BAD_POINTER,      /* no block begins at the address that was freed */
};

struct lesson_12 {
    void (*allocated)(struct header *header, uint64_t size_bytes);
    enum verdict (*freed)(void *block);
    enum verdict (*check)(const struct header *header);
};

/* The reader's. */
extern const struct lesson_12 lesson_12;

/* Two loops that you may use. */
static inline void fill_bytes(void *start, uint64_t count, uint8_t value)
{
    uint8_t *bytes = start;
    for (uint64_t i = 0; i < count; i++)
        bytes[i] = value;
}

static inline bool bytes_are(const void *start, uint64_t count, uint8_t value)
{
    const uint8_t *bytes = start;
    for (uint64_t i = 0; i < count; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

bool lesson_12_run(struct judge *judge);

#endif
