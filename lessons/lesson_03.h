/*
 * lesson_03.h - what docs/learn/exercises/lesson_03.c defines.
 */
#ifndef LESSONS_LESSON_03_H
#define LESSONS_LESSON_03_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lessons/bump_heap.h"
#include "lessons/judge.h"

struct lesson_03 {
    void (*begin)(struct bump_heap *heap, void *memory, uint64_t size_bytes);
    uint64_t (*used_bytes)(const struct bump_heap *heap);
    uint64_t (*free_bytes)(const struct bump_heap *heap);
    bool (*is_inside)(const struct bump_heap *heap, const void *address);
    bool (*is_in_use)(const struct bump_heap *heap, const void *address);
    void (*take)(struct bump_heap *heap, uint64_t size_bytes);
};

/* The reader's. */
extern const struct lesson_03 lesson_03;

bool lesson_03_run(struct judge *judge);

#endif
