/*
 * bump_heap.h - the heap of lessons 3 to 6.
 */
#ifndef LESSONS_BUMP_HEAP_H
#define LESSONS_BUMP_HEAP_H

#include <stdint.h>

/* A bump heap. All of it is three addresses. */
struct bump_heap {
    uint8_t *heap_start; /* the first byte of the heap */
    uint8_t *heap_end;   /* the first byte behind the heap */
    uint8_t *free;       /* the first byte that nobody uses yet; heap_end if the heap is full */
};

#endif
