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
 *   | Log before the panic               |   the newest lines that still have room
 *   | Press r to restart.                |   the last row
 *   +------------------------------------+
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

/* Return false, and draw nothing, if the screen has less than 40 columns or 12 rows. */
bool panic_layout_draw(const struct canvas *canvas, const struct panic_page *page);

#endif
