/*
 * heap_picture.h - what is in a heap: sizes, fragmentation, and a map drawn as text.
 *
 * All of it is found by walking the heap, which takes time in proportion to its blocks and costs
 * the allocations nothing. Exact as of the call. Freestanding, as the heap is.
 *
 * Phase and concurrency: as heap.h; the caller keeps others from the heap during a call.
 */
#ifndef HANDOFF_HEAP_PICTURE_H
#define HANDOFF_HEAP_PICTURE_H

#include "heap.h"

/* Blocks by the size that was asked for: class 0 is 0 and 1 byte, class n is 2^(n-1) + 1 to 2^n. */
#define HEAP_SIZE_CLASS_COUNT 48

struct heap_picture {
    struct heap_statistics statistics;
    uint64_t live_counts[HEAP_SIZE_CLASS_COUNT];
    /* Of the memory that is not free, how much nobody asked for (headers, rounding, the policy's
     * own): overhead / (size - free), in thousandths. 0 for a heap without blocks. */
    unsigned internal_permille;
    /* Of the free memory, how much the largest request cannot have: 1 - largest / free, in
     * thousandths. 0 if nothing is free. */
    unsigned external_permille;
};

void heap_picture_take(const struct heap *heap, struct heap_picture *ret_picture);

/* The class of a size. */
unsigned heap_size_class(size_t size_bytes);

#define HEAP_MAP_COLUMNS ((size_t)64)
#define HEAP_MAP_ROWS    ((size_t)16)

/* Draw the heap from its base to its end, a character for each stretch of `*ret_stretch_bytes`:
 *   #  all of it is blocks      .  all of it is free
 *   +  some blocks, some free   o  neither: headers and the policy's own memory
 * `row` is called for each line, at most HEAP_MAP_ROWS, with the address of its first byte and a
 * text of at most HEAP_MAP_COLUMNS characters. It may not call the heap.
 * Takes 16 KiB of stack. */
void heap_map_draw(const struct heap *heap,
                   void (*row)(void *context, const void *start, const char *text), void *context,
                   size_t *ret_stretch_bytes);

#endif
