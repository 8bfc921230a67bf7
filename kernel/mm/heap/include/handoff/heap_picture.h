/*
 * heap_picture.h - a summary of a heap: block sizes, fragmentation, and a map drawn as text.
 *
 * The functions walk the heap. Their time is linear in the number of blocks. They add no cost to
 * allocations. The figures are exact at the time of the call. Freestanding, like the heap.
 *
 * Phase and concurrency: as heap.h. No other operation may run on the heap during a call.
 */
#ifndef HANDOFF_HEAP_PICTURE_H
#define HANDOFF_HEAP_PICTURE_H

#include "heap.h"

/* Blocks by requested size: class 0 has 0 and 1 byte, class n is 2^(n-1) + 1 to 2^n. */
#define HEAP_SIZE_CLASS_COUNT 48

struct heap_picture {
    struct heap_statistics statistics;
    uint64_t live_counts[HEAP_SIZE_CLASS_COUNT];
    /* The overhead's part of the memory that is not free: overhead / (size - free), in thousandths.
     * The overhead is headers, rounding and the policy's own memory. 0 for a heap without blocks.
     */
    unsigned internal_permille;
    /* The part of the free memory that the largest request cannot have: 1 - largest / free, in
     * thousandths. 0 if there is no free memory. */
    unsigned external_permille;
};

void heap_picture_take(const struct heap *heap, struct heap_picture *ret_picture);

/* Return the class of a size. */
unsigned heap_size_class(size_t size_bytes);

#define HEAP_MAP_COLUMNS ((size_t)64)
#define HEAP_MAP_ROWS    ((size_t)16)

/* Draw the heap from its base to its end, a character for each stretch of `*ret_stretch_bytes`:
 *   #  all of it is blocks      .  all of it is free
 *   +  some blocks, some free   o  neither: headers and the policy's own memory
 * `row` is called for each line, at most HEAP_MAP_ROWS times. It gets the address of the line's
 * first byte and a text of at most HEAP_MAP_COLUMNS characters. It may not call the heap. The
 * function takes 16 KiB of stack. */
void heap_map_draw(const struct heap *heap,
                   void (*row)(void *context, const void *start, const char *text), void *context,
                   size_t *ret_stretch_bytes);

#endif
