#include "shared/text/number.h"

/* Return 16, which no base accepts, if the character is not a digit. */
static unsigned digit_value(char character)
{
    char lower = (char)(character | 0x20);
    if (character >= '0' && character <= '9')
        return (unsigned)(character - '0');
    if (lower >= 'a' && lower <= 'f')
        return (unsigned)(lower - 'a') + 10;
    return 16;
}

/* Return 0 if the character is not a suffix. */
static unsigned suffix_shift(char character)
{
    switch (character | 0x20) {
    case 'k':
        return 10;
    case 'm':
        return 20;
    case 'g':
        return 30;
    default:
        return 0;
    }
}

bool number_parse(const char *text, size_t length, uint64_t *ret_value)
{
    unsigned base = 10;
    const char *end = text + length;
    unsigned shift = length > 0 ? suffix_shift(end[-1]) : 0;
    if (shift != 0)
        end--;
    if (end - text > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
        base = 16;
        text += 2;
    }
    if (text == end)
        return false;

    uint64_t value = 0;
    for (; text < end; text++) {
        unsigned digit = digit_value(*text);
        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    if (value > UINT64_MAX >> shift)
        return false;
    *ret_value = value << shift;
    return true;
}
