/*
 * lesson_04.h - what docs/learn/exercises/lesson_04.c defines.
 */
#ifndef LESSONS_LESSON_04_H
#define LESSONS_LESSON_04_H

#include <stddef.h>
#include <stdint.h>

#include "lessons/judge.h"

/* A bump heap. All of it is three addresses. */
struct bump_heap {
    uint8_t *heap_start; /* the first byte of the heap */
    uint8_t *heap_end;   /* the first byte behind the heap */
    uint8_t *free;       /* the first byte that nobody uses yet */
};

struct lesson_04 {
    void (*begin)(struct bump_heap *heap, void *memory, uint64_t size_bytes);
    void *(*allocate)(struct bump_heap *heap, uint64_t size_bytes);
};

/* The reader's. */
extern const struct lesson_04 lesson_04;

bool lesson_04_run(struct judge *judge);

#endif
