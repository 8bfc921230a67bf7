/*
 * lesson_05.h - what docs/learn/exercises/lesson_05.c defines.
 */
#ifndef LESSONS_LESSON_05_H
#define LESSONS_LESSON_05_H

#include <stddef.h>
#include <stdint.h>

#include "lessons/bump_heap.h"
#include "lessons/judge.h"

struct lesson_05 {
    uint64_t (*round_up)(uint64_t number, uint64_t alignment);
    void (*begin)(struct bump_heap *heap, void *memory, uint64_t size_bytes);
    void *(*allocate)(struct bump_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes);
};

/* The reader's. */
extern const struct lesson_05 lesson_05;

bool lesson_05_run(struct judge *judge);

#endif
