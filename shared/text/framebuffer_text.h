/*
 * framebuffer_text.h - text on a linear framebuffer: a terminal without escape sequences.
 *
 * Pure: draws into memory that it is given. The same file serves the loader's last words and the
 * kernel's console. What stands on the screen is kept in `cells`, a buffer of the caller, so that
 * scrolling writes only what changed and never reads video memory, which is dear.
 *
 *   +-- columns -----------------+     a cell is 8 × 16 pixels, times `scale` on screens so fine
 *   |[cpu] gdt=yes …             |     that a plain one could not be read
 *   |[frames] total=…            |
 *   +----------------------------+ rows = what the screen and the cell buffer have room for
 */
#ifndef SHARED_TEXT_FRAMEBUFFER_TEXT_H
#define SHARED_TEXT_FRAMEBUFFER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"

/* Longer lines cannot be read comfortably, and the limit bounds the cell buffer. */
#define FRAMEBUFFER_TEXT_COLUMN_LIMIT 160

struct framebuffer_text {
    uint8_t *pixels;
    const uint8_t *font; /* 95 glyphs of 16 bytes: see console_font.h */
    char *cells;         /* rows × columns characters: what the screen shows */
    uint32_t width_pixels;
    uint32_t height_pixels;
    uint32_t pitch_bytes;
    uint32_t pixel_size_bytes;
    uint32_t foreground; /* pixel values */
    uint32_t background;
    uint32_t scale;
    uint32_t columns;
    uint32_t rows;
    uint32_t column; /* where the next character goes; column == columns: on a new line */
    uint32_t row;
};

/* Prepare to write from the top left corner; the screen is not touched: call
 * framebuffer_text_clear() next.
 *   framebuffer         its geometry; foreign numbers are judged here
 *   pixels              framebuffer->size_bytes writable bytes: the framebuffer where it is mapped
 *   cells               `cell_capacity` bytes; fewer than the screen has room for means fewer rows
 * `pixels`, `font` and `cells` must outlive *ret_text.
 * False, and *ret_text not written, if the framebuffer is absent or its numbers cannot be, or if
 * there is not room for one row. */
bool framebuffer_text_initialise(struct framebuffer_text *ret_text,
                                 const struct handoff_framebuffer *framebuffer, void *pixels,
                                 const uint8_t *font, char *cells, size_t cell_capacity)
    __attribute__((warn_unused_result));

/* Paint the whole screen in the background colour and go to the top left corner. */
void framebuffer_text_clear(struct framebuffer_text *text);

/* Write `size_bytes` characters. '\n' begins a line, '\r' is ignored, '\t' goes to the next column
 * that is a multiple of 8, anything outside printable ASCII is drawn as '?'. Long lines wrap; at
 * the bottom everything moves up by a line. */
void framebuffer_text_write(struct framebuffer_text *text, const char *characters,
                            size_t size_bytes);

#endif
