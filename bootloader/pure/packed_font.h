/*
 * packed_font.h - unpack the console font, which takes half as much room in the loader's file.
 *
 * Pure. scripts/pack-font.py packs it. A glyph begins with 16 bits, the lowest byte first. Bit i is
 * 1 if line i differs from the line above it; the line above the first one is empty. The lines that
 * differ follow.
 */
#ifndef BOOTLOADER_PURE_PACKED_FONT_H
#define BOOTLOADER_PURE_PACKED_FONT_H

#include "shared/text/console_font.h"

#define PACKED_FONT_SIZE_BYTES (CONSOLE_FONT_GLYPH_COUNT * CONSOLE_FONT_HEIGHT_PIXELS)

/* In shared/arch/…/font.S. */
extern const uint8_t packed_font[];

/* Write the glyphs of console_font.h. Precondition: `packed` has all of them. */
void packed_font_unpack(const uint8_t *packed, uint8_t font[PACKED_FONT_SIZE_BYTES]);

#endif
