/*
 * console_font.h - the console's font: the printable ASCII characters, 8 × 16 pixels.
 *
 * scripts/console-font.py takes the glyphs from a packaged console font of the distribution at
 * build time; shared/arch/…/font.S puts them into the image.
 */
#ifndef SHARED_TEXT_CONSOLE_FONT_H
#define SHARED_TEXT_CONSOLE_FONT_H

#include <stdint.h>

#define CONSOLE_FONT_WIDTH_PIXELS  8
#define CONSOLE_FONT_HEIGHT_PIXELS 16
#define CONSOLE_FONT_FIRST         ' '
#define CONSOLE_FONT_LAST          '~'
#define CONSOLE_FONT_GLYPH_COUNT   (CONSOLE_FONT_LAST - CONSOLE_FONT_FIRST + 1)

/* One glyph after the other; a byte a line, from the top; the highest bit is the left pixel. */
extern const uint8_t console_font[CONSOLE_FONT_GLYPH_COUNT * CONSOLE_FONT_HEIGHT_PIXELS];

#endif
