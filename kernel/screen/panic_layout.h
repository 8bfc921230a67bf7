/*
 * panic_layout.h - draw the page of a panic on a screen of any size.
 *
 *   +------------------------------------+
 *   | Panic 0x25: null pointer access    |   a band, in letters of double size
 *   +------------------------------------+
 *   | What happened  write to 0x10: …    |   the first parts with a label beside them
 *   | Where          null_write+0x4 …    |
 *   | What to try    check the pointer … |
 *   |                                    |
 *   | Backtrace                          |   as many lines as there is room for
 *   |   #0 0xffffffff80009469 …          |
 *   | Registers                          |
 *   | Log before the panic      +-----+  |   the newest lines that still have room
 *   |                           | box |  |
 *   | Press r to restart.       +-----+  |   the last row
 *   +------------------------------------+
 *
 * A screen with room for it has a box for a QR code (panic_qr.h). Text beside the box has fewer
 * columns.
 *
 * The text has at least 100 columns of 37 rows if the screen has 800 x 600 pixels or more. On a
 * larger screen the letters are larger: a person reads it from a distance, or from a photograph.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_PANIC_LAYOUT_H
#define KERNEL_SCREEN_PANIC_LAYOUT_H

#include <stdbool.h>

#include "kernel/screen/canvas.h"
#include "kernel/screen/panic_page.h"

#define PANIC_PAPER_RGB UINT32_C(0x8c0c14)
#define PANIC_LABEL_RGB UINT32_C(0xffc0b0)

/* The room for a QR code. Above it, a row of text of the same scale is free for a caption. */
struct panic_box {
    uint32_t left;
    uint32_t top;
    uint32_t side_pixels;
    uint32_t scale; /* of the letters */
};

/* Return false if the screen has no room for it: fewer than 100 columns or 37 rows. */
bool panic_layout_find_box(const struct canvas *canvas, struct panic_box *ret_box)
    __attribute__((warn_unused_result));

/* Return false, and draw nothing, if the screen has less than 40 columns or 12 rows. */
bool panic_layout_draw(const struct canvas *canvas, const struct panic_page *page);

#endif
