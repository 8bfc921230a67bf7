/*
 * drawing.h - a heap's state as a list of pieces: what the bar of characters and the SVG show.
 */
#ifndef LESSONS_DRAWING_H
#define LESSONS_DRAWING_H

#include <stdbool.h>
#include <stdint.h>

#define DRAWING_PIECE_LIMIT 160
#define DRAWING_MARK_LIMIT  4
/* The cells of a bar. With its labels, a line is shorter than 80 characters. */
#define DRAWING_CELL_COUNT 48

/* The sign of a piece that no block has. A block's sign is its name, a letter. */
#define DRAWING_FREE   '.'
#define DRAWING_GAP    '-' /* bytes left out for alignment */
#define DRAWING_HEADER '#' /* the heap's own record */
#define DRAWING_CANARY '!' /* known bytes behind a block */
#define DRAWING_POISON '~' /* known bytes in a freed block */

struct drawing_piece {
    uint64_t start_bytes; /* from the heap's start */
    uint64_t end_bytes;   /* exclusive */
    char sign;
};

struct drawing_mark {
    uint64_t offset_bytes;
    const char *name; /* "free" */
};

struct drawing {
    uint64_t size_bytes;          /* of the heap */
    uint64_t smallest_cell_bytes; /* 8 at first; a small heap is clearer with less */
    struct drawing_piece pieces[DRAWING_PIECE_LIMIT];
    unsigned piece_count;
    struct drawing_mark marks[DRAWING_MARK_LIMIT];
    unsigned mark_count;
    bool whole; /* the bar shows all of the heap, so its scale is the same in every step */
};

/* Begin an empty drawing: all of the heap is free. */
void drawing_begin(struct drawing *ret_drawing, uint64_t size_bytes);

/* Add a piece or a mark. One beyond the limit, or outside of the heap, is left out. */
void drawing_add(struct drawing *drawing, uint64_t start_bytes, uint64_t end_bytes, char sign);
void drawing_mark(struct drawing *drawing, uint64_t offset_bytes, const char *name);

/* Write the bar, its scale and its marks as two lines without newlines. Each buffer has
 * `capacity_bytes`. The bar shows the beginning of the heap, as far as anything is in use; "//"
 * stands for the rest. A cell with more than one piece shows the first of them that is not free. */
void drawing_print(const struct drawing *drawing, char *ret_bar, char *ret_marks,
                   uint64_t capacity_bytes);

#endif
