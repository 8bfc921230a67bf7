/*
 * lesson_07_arena.h - the memory of one heap of lesson 7, with known bytes on both sides of it.
 *
 * The bytes around the heap are the lesson's. If they change, the reader's code wrote outside.
 */
#ifndef LESSONS_LESSON_07_ARENA_H
#define LESSONS_LESSON_07_ARENA_H

#include "lessons/blocks.h"
#include "lessons/judge.h"
#include "lessons/lesson_07.h"

#define ARENA_FENCE_BYTES 4096u
/* A cell of the bar is 16 bytes then: all of the heap is visible, with each header. */
#define ARENA_SMALL_BYTES (16u * DRAWING_CELL_COUNT)

/* No two neighbours are free, and each other piece has a block. */
#define ARENA_PIECE_LIMIT (2 * BLOCK_LIMIT + 2)
#define ARENA_PAST_LIMIT  64u

/* A piece as describe() reported it, in bytes from the heap's start. */
struct arena_piece {
    uint64_t start_bytes;
    uint64_t end_bytes;
    bool used;
};

struct arena_pieces {
    struct arena_piece list[ARENA_PIECE_LIMIT];
    unsigned count;
};

/* A piece that once held a block of this size. The same memory must be able to do so again. */
struct arena_past {
    struct arena_piece piece;
    uint64_t size_bytes;
};

struct arena {
    struct judge *judge;
    struct blocks blocks;
    struct arena_pieces pieces; /* after the last call */
    struct arena_past past[ARENA_PAST_LIMIT];
    uint64_t past_count;   /* ever; the list holds the newest */
    struct drawing drawn;  /* the newest drawing of the heap */
    uint64_t header_bytes; /* between the start of a piece and its block; 0 while that is unknown */
    struct block freed; /* the block that the last call freed; `live` if the last call freed one */
};

/* The lesson's memory becomes the `size_bytes` bytes behind a fence at `all`, which is large enough
 * for a fence on both sides. */
void arena_begin(struct arena *ret_arena, struct judge *judge, uint8_t *all, uint64_t size_bytes);

/* Check the bytes around the heap, and the content of the live blocks. */
bool arena_check(struct arena *arena);

/* The offset of a block from the heap's start. */
uint64_t arena_offset(const struct arena *arena, const struct block *block);

/* Return the live block that has a byte in [start_bytes, end_bytes), other than `other`; or NULL. */
const struct block *arena_block_in(const struct arena *arena, uint64_t start_bytes,
                                   uint64_t end_bytes, const struct block *other);

/* Draw the pieces that are known, with their blocks. */
void arena_draw(struct arena *arena);

#endif
