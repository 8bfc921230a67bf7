#include "shared/text/piece.h"

#include "shared/text/text.h"

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
    for (size_t i = 0; i < piece.length; i++) {
        if (piece.text[i] == separator) {
            *ret_before = (struct piece){piece.text, i};
            *ret_after = (struct piece){piece.text + i + 1, piece.length - i - 1};
            return true;
        }
    }
    return false;
}
