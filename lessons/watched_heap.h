/*
 * watched_heap.h - the simple heap of lesson 12, under the reader's checks. It leaves room for a
 * header in front of each block and for a canary behind it, and never uses memory again.
 *
 * It keeps a copy of its memory, to see every byte that the reader's code changes.
 */
#ifndef LESSONS_WATCHED_HEAP_H
#define LESSONS_WATCHED_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/judge.h"
#include "lessons/lesson_12.h"

#define WATCHED_BYTES       1024u
#define WATCHED_BLOCK_LIMIT 8u

struct watched_block {
    struct header *header;
    uint8_t *start;
    uint64_t size_bytes;
    char name;
    bool freed;
};

struct watched_heap {
    uint8_t *memory;
    uint64_t used_bytes;
    struct watched_block blocks[WATCHED_BLOCK_LIMIT];
    unsigned block_count;
    uint8_t copy[WATCHED_BYTES];
};

/* Fill the memory with bytes of no meaning, as an earlier user leaves them. */
void watched_heap_begin(struct watched_heap *ret_heap, uint8_t *memory);

/* Return a new block. The headers lie at multiples of 16. */
struct watched_block *watched_heap_take(struct watched_heap *heap, uint64_t size_bytes);

/* Keep the memory, before the reader's code runs. */
void watched_heap_keep(struct watched_heap *heap);

/* Return whether only the header, bytes and canary of `block` have changed since then, or nothing
 * if it is NULL. *ret_offset_bytes is the place of the first other change. */
bool watched_heap_compare(const struct watched_heap *heap, const struct watched_block *block,
                          uint64_t *ret_offset_bytes);

void watched_heap_draw(const struct watched_heap *heap, struct drawing *ret_drawing);

#endif
