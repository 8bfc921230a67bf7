/*
 * canvas.h - rectangles and text of any size on a linear framebuffer.
 *
 * Everything is cut at the edges of the screen. Nothing reads the framebuffer: reading video memory
 * is slow. (0, 0) is the upper left pixel. Colours are 0xRRGGBB.
 *
 * Pure: the functions draw into memory of the caller. They allocate nothing, take no lock and
 * cannot panic.
 */
#ifndef KERNEL_SCREEN_CANVAS_H
#define KERNEL_SCREEN_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"

struct canvas {
    const struct handoff_framebuffer *framebuffer; /* the geometry and the format */
    uint8_t *pixels;
    const uint8_t *font; /* shared/text/console_font.h */
};

/* Text of one size and colour. The background is drawn, too. */
struct canvas_style {
    uint32_t scale; /* pixels of the screen for each pixel of the font, in both directions */
    uint32_t foreground_rgb;
    uint32_t background_rgb;
};

/* Return false, and do not write *ret_canvas, if the framebuffer is absent or its numbers
 * contradict each other. `pixels` are framebuffer->size_bytes writable bytes. All three pointers
 * must outlive the canvas. */
bool canvas_initialise(struct canvas *ret_canvas, const struct handoff_framebuffer *framebuffer,
                       void *pixels, const uint8_t *font) __attribute__((warn_unused_result));

void canvas_fill(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t width_pixels,
                 uint32_t height_pixels, uint32_t rgb);

/* Draw `length` characters in one line, with the upper left corner of the first at (left, top).
 * Characters outside of printable ASCII become '?'. */
void canvas_text(const struct canvas *canvas, uint32_t left, uint32_t top,
                 const struct canvas_style *style, const char *text, size_t length);

#endif
