/*
 * piece.h - a piece of a heap that is cut into used and free ones. Lessons 7 and 8.
 */
#ifndef LESSONS_PIECE_H
#define LESSONS_PIECE_H

#include <stdbool.h>
#include <stdint.h>

struct piece {
    uint64_t size_bytes; /* with its header */
    bool used;           /* a block is in it; if not, it is free */
};

#endif
