/*
 * lesson_11.h - what docs/learn/exercises/lesson_11.c defines.
 */
#ifndef LESSONS_LESSON_11_H
#define LESSONS_LESSON_11_H

#include <stddef.h>
#include <stdint.h>

#include "lessons/judge.h"

/* A piece of free memory, as the heap shows it to its policy. */
struct piece {
    uint64_t start_bytes; /* from the heap's start */
    uint64_t size_bytes;
};

/* What a policy returns if no piece is large enough. */
#define NO_PIECE (~0u)

/* A policy gets the pieces 0 to count - 1, in the order of their addresses. It returns the index of
 * the piece that the heap is to use for a block of `size_bytes`, or NO_PIECE. */
struct lesson_11 {
    unsigned (*first_fit)(const struct piece *pieces, unsigned count, uint64_t size_bytes);
    unsigned (*best_fit)(const struct piece *pieces, unsigned count, uint64_t size_bytes);
    unsigned (*my_policy)(const struct piece *pieces, unsigned count, uint64_t size_bytes);
};

/* The reader's. */
extern const struct lesson_11 lesson_11;

bool lesson_11_run(struct judge *judge);

#endif
