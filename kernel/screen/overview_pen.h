/*
 * overview_pen.h - text and bars in the cells of the overview.
 *
 * A cell has the size of a letter. Columns and rows count from the upper left corner of the screen.
 * Bars are drawn in pixels, so that a large screen shows more of them.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_OVERVIEW_PEN_H
#define KERNEL_SCREEN_OVERVIEW_PEN_H

#include <stdint.h>

#include "kernel/screen/canvas.h"

#define OVERVIEW_PAPER_RGB   UINT32_C(0x12171f)
#define OVERVIEW_TEXT_RGB    UINT32_C(0xe8e8e8)
#define OVERVIEW_FAINT_RGB   UINT32_C(0xa0acb8)
#define OVERVIEW_HEADING_RGB UINT32_C(0x8fc7ff)
#define OVERVIEW_TRACK_RGB   UINT32_C(0x28303c) /* the background of a bar */

struct overview_pen {
    const struct canvas *canvas;
    uint32_t scale;   /* pixels of the screen for each pixel of the font */
    uint32_t columns; /* of the screen */
    uint32_t rows;
};

/* The place of a bar, in pixels. */
struct overview_box {
    uint32_t left;
    uint32_t top;
    uint32_t width;
    uint32_t height;
};

/* Write a text, and return the column after it. It is cut before the margin. */
uint32_t overview_pen_text(const struct overview_pen *pen, uint32_t column, uint32_t row,
                           uint32_t rgb, const char *text);

/* Write a text on a background of another colour. */
uint32_t overview_pen_mark(const struct overview_pen *pen, uint32_t column, uint32_t row,
                           const struct canvas_style *style, const char *text);

/* Write a text that ends before a column. Precondition: its length is <= end_column. */
void overview_pen_text_before(const struct overview_pen *pen, uint32_t end_column, uint32_t row,
                              uint32_t rgb, const char *text);

/* A coloured square of the size of a letter, for a legend. */
void overview_pen_swatch(const struct overview_pen *pen, uint32_t column, uint32_t row,
                         uint32_t rgb);

/* Return the box of some cells without a border of `inset` pixels of the font above and below. */
struct overview_box overview_pen_box(const struct overview_pen *pen, uint32_t column, uint32_t row,
                                     uint32_t column_count, uint32_t row_count, uint32_t inset);

/* Fill a box from one pixel to another, counted from its left. */
void overview_pen_fill(const struct overview_pen *pen, const struct overview_box *box,
                       uint32_t from, uint32_t to, uint32_t rgb);

/* Return size * part / whole, rounded down. Return `size` if part > whole, and 0 if whole is 0. */
uint32_t overview_pen_share(uint32_t size, uint64_t part, uint64_t whole);

#endif
