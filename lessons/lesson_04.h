/*
 * lesson_04.h - what docs/learn/exercises/lesson_04.c defines.
 */
#ifndef LESSONS_LESSON_04_H
#define LESSONS_LESSON_04_H

#include <stddef.h>
#include <stdint.h>

#include "lessons/bump_heap.h"
#include "lessons/judge.h"

struct lesson_04 {
    void (*begin)(struct bump_heap *heap, void *memory, uint64_t size_bytes);
    void *(*allocate)(struct bump_heap *heap, uint64_t size_bytes);
};

/* The reader's. */
extern const struct lesson_04 lesson_04;

bool lesson_04_run(struct judge *judge);

#endif
