/*
 * lesson_07_pieces.h - ask the reader's describe() for every piece, and check what it says.
 */
#ifndef LESSONS_LESSON_07_PIECES_H
#define LESSONS_LESSON_07_PIECES_H

#include "lessons/lesson_07_arena.h"

/* Read all pieces into arena->pieces. They fill the heap without a gap, each used one has exactly
 * one live block wholly inside, and no two neighbours are free. Return false after a wrong one,
 * which is explained and drawn. */
bool pieces_read(struct arena *arena);

/* Whether the piece is large enough in every design: the block and OVERHEAD_LIMIT_BYTES fit. */
bool pieces_is_large(const struct arena_piece *piece, uint64_t size_bytes);

/* Return the free piece in which a block of `size_bytes` must have room, or NULL. */
const struct arena_piece *pieces_with_room(const struct arena *arena, uint64_t size_bytes);

/* Return the piece that has this offset. */
const struct arena_piece *pieces_find(const struct arena *arena, uint64_t offset_bytes);

#endif
