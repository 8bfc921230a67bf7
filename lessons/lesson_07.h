/*
 * lesson_07.h - what docs/learn/exercises/lesson_07.c defines.
 *
 * The lesson never looks into a heap. It asks the reader's describe() for each piece. So headers and
 * lists are the reader's own affair.
 */
#ifndef LESSONS_LESSON_07_H
#define LESSONS_LESSON_07_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lessons/judge.h"
#include "lessons/piece.h"

/* A block begins at a multiple of this. */
#define BLOCK_ALIGNMENT_BYTES 16u

/* How much larger than the request the piece of a block can be: header, rounding, and a rest that is
 * too small to be a piece. */
#define OVERHEAD_LIMIT_BYTES 96u

struct lesson_07 {
    void (*lifo_begin)(void *memory, uint64_t size_bytes);
    void *(*lifo_allocate)(uint64_t size_bytes);
    bool (*lifo_free)(void *block);

    void (*list_begin)(void *memory, uint64_t size_bytes);
    void *(*list_allocate)(uint64_t size_bytes);
    void (*list_free)(void *block);
    struct piece (*describe)(const void *piece_start);
};

/* The reader's. */
extern const struct lesson_07 lesson_07;

bool lesson_07_run(struct judge *judge);

#endif
