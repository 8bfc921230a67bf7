/*
 * framebuffer_text.h - text on a linear framebuffer: a terminal without escape sequences.
 *
 * Pure: the functions draw into memory of the caller. The loader uses them after ExitBootServices,
 * and the kernel uses them for its console. `cells`, a buffer of the caller, holds the characters
 * on the screen. So scrolling writes only changed cells, and never reads video memory, which is
 * slow.
 *
 *   +-- columns -----------------+     A cell has 8 × 16 pixels, times `scale`. From a width of
 *   |[cpu] wp=on …               |     2560 pixels on, `scale` is 2 or more. Else a character
 *   |[frames] total=…            |     would be too small to read.
 *   +----------------------------+     The screen and the buffer of cells limit the number of rows.
 */
#ifndef SHARED_TEXT_FRAMEBUFFER_TEXT_H
#define SHARED_TEXT_FRAMEBUFFER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"

/* Longer lines are hard to read. The limit also bounds the buffer of cells. */
#define FRAMEBUFFER_TEXT_COLUMN_LIMIT 160

struct framebuffer_text {
    uint8_t *pixels;
    const uint8_t *font; /* 95 glyphs of 16 bytes: console_font.h */
    char *cells;         /* rows × columns characters: the text on the screen */
    uint32_t width_pixels;
    uint32_t height_pixels;
    uint32_t pitch_bytes;
    uint32_t pixel_size_bytes;
    uint32_t foreground; /* pixel values */
    uint32_t background;
    uint32_t scale;
    uint32_t columns;
    uint32_t rows;
    uint32_t column; /* the place of the next character; column == columns: on a new line */
    uint32_t row;
    bool has_cursor; /* the next character's cell is inverted */
    bool is_hidden;  /* the cells change, and the screen does not */
};

/* Prepare *ret_text for writing from the top left corner. The screen is not changed: call
 * framebuffer_text_clear() next.
 *   framebuffer         the geometry, which is validated here
 *   pixels              the mapped framebuffer: framebuffer->size_bytes writable bytes
 *   cells               `cell_capacity` bytes; a small buffer means fewer rows
 * `pixels`, `font` and `cells` must outlive *ret_text.
 * Return false, and do not write *ret_text, if the framebuffer is absent, if its numbers contradict
 * each other, or if there is no room for one row. */
bool framebuffer_text_initialise(struct framebuffer_text *ret_text,
                                 const struct handoff_framebuffer *framebuffer, void *pixels,
                                 const uint8_t *font, char *cells, size_t cell_capacity)
    __attribute__((warn_unused_result));

/* Paint the whole screen in the background colour and go to the top left corner. */
void framebuffer_text_clear(struct framebuffer_text *text);

/* From the next framebuffer_text_write() on, show where the next character will be: its cell is
 * inverted. */
void framebuffer_text_show_cursor(struct framebuffer_text *text);

/* From now on, write nothing to the screen, which shows something else. The text is kept. */
void framebuffer_text_hide(struct framebuffer_text *text);

/* Draw the whole text again, and write to the screen from now on. Precondition: the text was cleared
 * once. */
void framebuffer_text_show(struct framebuffer_text *text);

/* Write `size_bytes` characters. '\n' begins a line, '\r' is ignored, and '\t' writes blanks up to
 * the next column that is a multiple of 8. '\b' goes back by a column, and not beyond the start of a
 * row. '\f' clears the screen. Other characters outside of printable ASCII are drawn as
 * '?'. Long lines wrap. At the bottom, the text moves up by a line. */
void framebuffer_text_write(struct framebuffer_text *text, const char *characters,
                            size_t size_bytes);

#endif
