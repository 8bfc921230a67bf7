#include "bootloader/firmware/wide_text.h"

size_t wide_text(const char *text, CHAR16 *wide, size_t capacity)
{
    size_t length = 0;
    while (length < capacity - 1 && text[length] != '\0') {
        wide[length] = (CHAR16)(unsigned char)text[length];
        length++;
    }
    wide[length] = 0;
    return (length + 1) * sizeof(CHAR16);
}
