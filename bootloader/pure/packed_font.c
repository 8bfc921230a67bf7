#include "bootloader/pure/packed_font.h"

void packed_font_unpack(const uint8_t *packed, uint8_t font[PACKED_FONT_SIZE_BYTES])
{
    const uint8_t *end = font + PACKED_FONT_SIZE_BYTES;
    while (font < end) {
        uint32_t differs = packed[0] | (uint32_t)packed[1] << 8;
        uint8_t line = 0;
        packed += 2;
        for (unsigned i = 0; i < CONSOLE_FONT_HEIGHT_PIXELS; i++, differs >>= 1) {
            if ((differs & 1) != 0)
                line = *packed++;
            *font++ = line;
        }
    }
}
