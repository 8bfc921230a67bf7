#include "host/simulator/text_cursor.h"

#include <string.h>

static char lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

/* Return 16 if the character is not a digit. */
static unsigned digit_value(char character)
{
    char digit = lower(character);
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (unsigned)(digit - 'a') + 10;
    return 16;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

bool text_cursor_at_end(const struct text_cursor *cursor)
{
    return cursor->at == cursor->end;
}

void text_cursor_skip_blanks(struct text_cursor *cursor)
{
    while (cursor->at < cursor->end && is_blank(*cursor->at))
        cursor->at++;
}

static bool is_one_of(char character, const char *characters)
{
    for (; *characters != '\0'; characters++) {
        if (*characters == character)
            return true;
    }
    return false;
}

void text_cursor_skip_any(struct text_cursor *cursor, const char *characters)
{
    while (cursor->at < cursor->end && is_one_of(*cursor->at, characters))
        cursor->at++;
}

static bool is_of_word(char character)
{
    char letter = lower(character);
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
}

bool text_cursor_at_word_end(const struct text_cursor *cursor)
{
    return cursor->at == cursor->end || !is_of_word(*cursor->at);
}

/* Return the length of the equal part of both texts. *ret_rest is the rest of `text`. */
static const char *match(const struct text_cursor *cursor, const char *text, const char **ret_rest)
{
    const char *at = cursor->at;
    for (; *text != '\0' && at < cursor->end; text++) {
        if (*text == ' ' && is_blank(*at)) {
            while (at < cursor->end && is_blank(*at))
                at++;
        } else if (lower(*at) == lower(*text)) {
            at++;
        } else {
            break;
        }
    }
    *ret_rest = text;
    return at;
}

bool text_cursor_take(struct text_cursor *cursor, const char *text)
{
    const char *rest;
    const char *at = match(cursor, text, &rest);
    if (*rest != '\0')
        return false;
    cursor->at = at;
    return true;
}

bool text_cursor_expect(struct text_cursor *cursor, const char *text)
{
    const char *rest;
    const char *at = match(cursor, text, &rest);
    if (*rest == '\0' || at == cursor->end)
        cursor->at = at;
    return *rest == '\0';
}

static char upper(char character)
{
    return character >= 'a' && character <= 'z' ? (char)(character - 'a' + 'A') : character;
}

static const char *find_character(const char *at, const char *end, char character)
{
    const char *found = at < end ? memchr(at, character, (size_t)(end - at)) : NULL;
    return found != NULL ? found : end;
}

/* Find the next place at or behind `at` where `text` may begin. It keeps the ends of its searches,
 * so no part of the line is searched twice for the same letter. */
bool text_cursor_take_through(struct text_cursor *cursor, const char *text)
{
    const char *small = find_character(cursor->at, cursor->end, lower(*text));
    const char *large = find_character(cursor->at, cursor->end, upper(*text));
    while (small < cursor->end || large < cursor->end) {
        struct text_cursor match = {small < large ? small : large, cursor->end};
        const char *start = match.at;
        if (text_cursor_take(&match, text)) {
            *cursor = match;
            return true;
        }
        if (start == small)
            small = find_character(start + 1, cursor->end, lower(*text));
        if (start == large)
            large = find_character(start + 1, cursor->end, upper(*text));
    }
    return false;
}

bool text_cursor_next_number(struct text_cursor *cursor, struct text_cursor line)
{
    struct text_cursor rest = *cursor;
    for (bool is_inside = rest.at > line.at && is_of_word(rest.at[-1]); rest.at < rest.end;
         rest.at++) {
        bool is_word = is_of_word(*rest.at);
        if (is_word && !is_inside && digit_value(*rest.at) < 16) {
            *cursor = rest;
            return true;
        }
        is_inside = is_word;
    }
    return false;
}

/* Take at least one digit of the base. With `grouped`, ignore commas between digits. */
static bool take_digits(struct text_cursor *cursor, unsigned base, bool grouped,
                        uint64_t *ret_number)
{
    const char *at = cursor->at;
    uint64_t number = 0;
    bool found = false;
    for (; at < cursor->end; at++) {
        if (grouped && found && *at == ',')
            continue;
        unsigned digit = digit_value(*at);
        if (digit >= base)
            break;
        if (number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
        found = true;
    }
    if (!found)
        return false;
    cursor->at = at;
    *ret_number = number;
    return true;
}

bool text_cursor_take_hex(struct text_cursor *cursor, uint64_t *ret_number)
{
    struct text_cursor rest = *cursor;
    (void)text_cursor_take(&rest, "0x");
    if (!take_digits(&rest, 16, false, ret_number))
        return false;
    *cursor = rest;
    return true;
}

bool text_cursor_expect_hex(struct text_cursor *cursor, uint64_t *ret_number)
{
    struct text_cursor prefix = *cursor;
    if (text_cursor_take(&prefix, "0x") && text_cursor_at_end(&prefix)) {
        *cursor = prefix;
        return false;
    }
    return text_cursor_take_hex(cursor, ret_number);
}

bool text_cursor_take_long_hex(struct text_cursor *cursor, struct text_cursor line,
                               unsigned digit_count_min, uint64_t *ret_number)
{
    struct text_cursor rest = *cursor;
    if (rest.at > line.at && is_of_word(rest.at[-1]))
        return false;
    (void)text_cursor_take(&rest, "0x");
    const char *digits = rest.at;
    if (!take_digits(&rest, 16, false, ret_number) || !text_cursor_at_word_end(&rest) ||
        rest.at - digits < (ptrdiff_t)digit_count_min)
        return false;
    *cursor = rest;
    return true;
}

bool text_cursor_take_decimal(struct text_cursor *cursor, uint64_t *ret_number)
{
    return take_digits(cursor, 10, false, ret_number);
}

bool text_cursor_take_grouped(struct text_cursor *cursor, uint64_t *ret_number)
{
    return take_digits(cursor, 10, true, ret_number);
}

bool text_cursor_take_number(struct text_cursor *cursor, uint64_t *ret_number)
{
    struct text_cursor prefix = *cursor;
    if (text_cursor_take(&prefix, "0x"))
        return text_cursor_take_hex(cursor, ret_number);
    return text_cursor_take_decimal(cursor, ret_number);
}

bool text_cursor_take_until(struct text_cursor *cursor, char stop, struct text_cursor *ret_text)
{
    for (const char *at = cursor->at; at < cursor->end; at++) {
        if (*at == stop) {
            *ret_text = (struct text_cursor){cursor->at, at};
            cursor->at = at + 1;
            return true;
        }
    }
    return false;
}

bool text_cursor_is(struct text_cursor cursor, const char *text)
{
    text_cursor_skip_blanks(&cursor);
    if (!text_cursor_take(&cursor, text))
        return false;
    text_cursor_skip_blanks(&cursor);
    return text_cursor_at_end(&cursor);
}
