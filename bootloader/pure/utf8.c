#include "bootloader/pure/utf8.h"

/* The first byte has as many ones at its top as the character has bytes; 0x80 to 0xbf are other
 * bytes of a character. */
uint32_t utf8_next(const char **text)
{
    uint32_t first = (unsigned char)*(*text)++;
    unsigned rest = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    uint32_t character = rest == 0 ? first : first & (0x3fu >> rest);
    for (; rest > 0; rest--) {
        uint32_t next = (unsigned char)**text;
        if ((next & 0xc0) != 0x80)
            return '?';
        character = character << 6 | (next & 0x3f);
        (*text)++;
    }
    return character < ' ' || (character > '~' && character < 0xa0) ||
                   (first >= 0x80 && first < 0xc0) || first >= 0xf8
               ? '?'
               : character;
}
