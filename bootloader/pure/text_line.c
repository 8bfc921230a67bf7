#include "bootloader/pure/text_line.h"

struct piece text_next_line(struct piece *text)
{
    size_t length = 0;
    while (length < text->length && text->text[length] != '\n')
        length++;
    struct piece line = {text->text, length};
    size_t taken = length < text->length ? length + 1 : length;
    text->text += taken;
    text->length -= taken;
    if (line.length > 0 && line.text[line.length - 1] == '\r')
        line.length--;
    return line;
}
