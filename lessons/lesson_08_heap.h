/*
 * lesson_08_heap.h - the heap that lesson 8 counts: first fit, as in lesson 7, and always right.
 *
 * Its list of pieces is a table, and not headers in the memory, so that nothing can break it.
 */
#ifndef LESSONS_LESSON_08_HEAP_H
#define LESSONS_LESSON_08_HEAP_H

#include "lessons/drawing.h"
#include "lessons/piece.h"

#define LESSON_08_HEADER_BYTES 16u
#define LESSON_08_PIECE_LIMIT  64u

struct lesson_08_heap {
    struct piece pieces[LESSON_08_PIECE_LIMIT]; /* in order of address */
    uint64_t requested_bytes[LESSON_08_PIECE_LIMIT];
    char names[LESSON_08_PIECE_LIMIT];
    unsigned count;
    unsigned allocation_count; /* for the next name */
};

void lesson_08_heap_begin(struct lesson_08_heap *ret_heap, uint64_t size_bytes);

/* Allocate from the first free piece that is large enough. Return the index of the used piece, or
 * LESSON_08_PIECE_LIMIT if there is no such piece. */
unsigned lesson_08_heap_allocate(struct lesson_08_heap *heap, uint64_t size_bytes);

/* Free the used piece at `index`, and merge it with its free neighbours. */
void lesson_08_heap_free(struct lesson_08_heap *heap, unsigned index);

/* Return the index of the used piece of this name, or LESSON_08_PIECE_LIMIT. */
unsigned lesson_08_heap_find(const struct lesson_08_heap *heap, char name);

void lesson_08_heap_draw(const struct lesson_08_heap *heap, struct drawing *drawing);

#endif
