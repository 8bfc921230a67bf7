/*
 * console_font.h - the font of the console: the printable ASCII characters, 8 × 16 pixels each.
 *
 * The build takes the glyphs from a console font of the distribution (scripts/console-font.py).
 * shared/arch/…/font.S puts them into the image.
 */
#ifndef SHARED_TEXT_CONSOLE_FONT_H
#define SHARED_TEXT_CONSOLE_FONT_H

#include <stdint.h>

#define CONSOLE_FONT_WIDTH_PIXELS  8
#define CONSOLE_FONT_HEIGHT_PIXELS 16
#define CONSOLE_FONT_FIRST         ' '
#define CONSOLE_FONT_LAST          '~'
#define CONSOLE_FONT_GLYPH_COUNT   (CONSOLE_FONT_LAST - CONSOLE_FONT_FIRST + 1)

/* All glyphs, one behind the other. A glyph has one byte for each line of pixels, from the top. The
 * highest bit of a byte is the left pixel. */
extern const uint8_t console_font[CONSOLE_FONT_GLYPH_COUNT * CONSOLE_FONT_HEIGHT_PIXELS];

#endif
