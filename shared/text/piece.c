#include "shared/text/piece.h"

#include "shared/text/text.h"

struct piece piece_trim(struct piece piece)
{
    const char *start = piece.text;
    const char *end = start + piece.length;
    while (start < end && piece_is_blank(*start))
        start++;
    while (start < end && piece_is_blank(end[-1]))
        end--;
    return (struct piece){start, (size_t)(end - start)};
}

bool piece_equals(struct piece piece, const char *text)
{
    for (size_t i = 0; i < piece.length; i++) {
        if (text[i] == '\0' || text[i] != piece.text[i])
            return false;
    }
    return text[piece.length] == '\0';
}

bool piece_ends_with(struct piece piece, const char *ending)
{
    size_t length = text_length(ending);
    if (piece.length < length)
        return false;
    const char *end = piece.text + piece.length - length;
    for (size_t i = 0; i < length; i++) {
        bool is_upper = end[i] >= 'A' && end[i] <= 'Z';
        if ((is_upper ? end[i] + ('a' - 'A') : end[i]) != ending[i])
            return false;
    }
    return true;
}

bool piece_split(struct piece piece, char separator, struct piece *ret_before,
                 struct piece *ret_after)
{
    size_t i = 0;
    const char *text = piece.text;
    size_t length = piece.length;
    while (i < length && text[i] != separator)
        i++;
    if (i == length)
        return false;
    *ret_before = (struct piece){text, i};
    *ret_after = (struct piece){text + i + 1, length - i - 1};
    return true;
}

struct piece piece_next_line(struct piece *text)
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
