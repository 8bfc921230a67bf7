/*
 * policy_heap.h - the heap of lesson 11, without its policy: it splits and merges free pieces, and
 * its caller chooses the piece for each block.
 *
 * Only the places of blocks and pieces exist. A policy needs no more.
 */
#ifndef LESSONS_POLICY_HEAP_H
#define LESSONS_POLICY_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/drawing.h"
#include "lessons/lesson_11.h"

#define POLICY_HEAP_SIZE_BYTES 736u /* a bar of 46 cells of 16 bytes */
#define POLICY_PIECE_LIMIT     16u
#define POLICY_BLOCK_LIMIT     16u

struct policy_heap {
    struct piece pieces[POLICY_PIECE_LIMIT]; /* free, in the order of their addresses */
    unsigned piece_count;
    struct piece blocks[POLICY_BLOCK_LIMIT]; /* 'a' is the first; one that was freed has 0 bytes */
    unsigned block_count;
    unsigned failure_count;
};

/* The heap at the start of every trace: blocks a to f, and five free pieces between them. */
void policy_heap_begin(struct policy_heap *ret_heap);

/* Put a block of `size_bytes` at the start of the piece, which is large enough. Return its name. */
char policy_heap_take(struct policy_heap *heap, unsigned piece, uint64_t size_bytes);

/* Free a live block, and merge its bytes with the free pieces beside it. */
void policy_heap_free(struct policy_heap *heap, char name);

uint64_t policy_heap_largest(const struct policy_heap *heap);

void policy_heap_draw(const struct policy_heap *heap, struct drawing *ret_drawing);

#endif
