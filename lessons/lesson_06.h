/*
 * lesson_06.h - what docs/learn/exercises/lesson_06.c defines.
 */
#ifndef LESSONS_LESSON_06_H
#define LESSONS_LESSON_06_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lessons/judge.h"

/* The bump heap, and how often it had to refuse. */
struct counting_heap {
    uint8_t *heap_start;    /* the first byte of the heap */
    uint8_t *heap_end;      /* the first byte behind the heap */
    uint8_t *free;          /* the first byte that nobody uses yet; heap_end if the heap is full */
    uint64_t refused_count; /* the calls of allocate() that returned NULL */
};

struct lesson_06 {
    void (*begin)(struct counting_heap *heap, void *memory, uint64_t size_bytes);
    void *(*allocate)(struct counting_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes);
};

/* The reader's. */
extern const struct lesson_06 lesson_06;

bool lesson_06_run(struct judge *judge);

#endif
