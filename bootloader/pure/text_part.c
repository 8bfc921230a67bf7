#include "bootloader/pure/text_part.h"

const char *text_part(const char *text, unsigned number)
{
    for (; number > 0; text++) {
        if (*text == '\0')
            number--;
    }
    return text;
}
