/*
 * blocks.h - the judge's own record of the blocks that the reader's heap gave out.
 *
 * It knows nothing of how the reader's heap works. It knows what every heap owes its users: a block
 * lies in the heap, is aligned, overlaps no other live block, and keeps its bytes.
 */
#ifndef LESSONS_BLOCKS_H
#define LESSONS_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/judge.h"

#define BLOCK_LIMIT 52 /* names a to z, then A to Z */

struct block {
    uint8_t *start;
    uint64_t size_bytes;
    char name;
    bool live;
};

struct blocks {
    struct block list[BLOCK_LIMIT];
    unsigned count;
};

void blocks_begin(struct blocks *ret_blocks);

/* Check the address that the reader's heap returned for a request of `size_bytes`, and add the
 * block. It gets the next name, or, when all are taken, the name of a block that is not live. It is
 * filled with a pattern. Return false after a wrong result (NULL is one), which is then explained.
 * `alignment_bytes` is a power of two, at least 1. */
bool blocks_accept(struct judge *judge, struct blocks *blocks, void *address, uint64_t size_bytes,
                   uint64_t alignment_bytes);

/* Add a block that the lesson has checked itself, and fill it. Say nothing. Return its name; a block
 * beyond the limit is not added, and gets the name '*'. */
char blocks_add(struct blocks *blocks, void *address, uint64_t size_bytes);

/* Check that every live block still has its bytes. Return false after a damaged one. */
bool blocks_check(struct judge *judge, const struct blocks *blocks);

/* The reader's heap is about to get this block back, or has got it. Its bytes count no more. */
void blocks_release(struct blocks *blocks, char name);

/* Return the block with this name, live or not; NULL without one. */
struct block *blocks_find(struct blocks *blocks, char name);

/* Add the live blocks to a drawing. */
void blocks_draw(const struct judge *judge, const struct blocks *blocks, struct drawing *drawing);

#endif
