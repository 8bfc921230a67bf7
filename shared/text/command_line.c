#include "shared/text/command_line.h"

#include "shared/memory.h"
#include "shared/text/number.h"
#include "shared/text/piece.h"

/* Return the quote that closes the quote at `open`, or NULL if no quote closes it. */
static const char *closing_quote(const char *open)
{
    for (const char *end = open + 1; *end != '\0'; end++) {
        if (*end == '"')
            return end;
    }
    return NULL;
}

/* Take the next word off the line. Return false at the end of the line. A quote that is never
 * closed does not enclose blanks. Otherwise it would swallow all words behind it, for example the
 * words that a script has appended. */
static bool next_word(const char **line, struct piece *ret_word)
{
    const char *start = *line;
    while (piece_is_blank(*start))
        start++;

    const char *end = start;
    while (*end != '\0' && !piece_is_blank(*end)) {
        const char *close = *end == '"' ? closing_quote(end) : NULL;
        end = (close != NULL ? close : end) + 1;
    }
    *line = end;
    *ret_word = (struct piece){start, (size_t)(end - start)};
    return end != start;
}

static struct piece without_quotes(struct piece value)
{
    if (value.length < 2 || value.text[0] != '"' || value.text[value.length - 1] != '"')
        return value;
    return (struct piece){value.text + 1, value.length - 2};
}

bool command_line_next(const char **line, struct command_line_word *ret_word)
{
    struct piece word;
    if (!next_word(line, &word))
        return false;
    *ret_word = (struct command_line_word){.text = word, .name = word};
    ret_word->has_value = piece_split(word, '=', &ret_word->name, &ret_word->value);
    if (ret_word->has_value)
        ret_word->value = without_quotes(ret_word->value);
    return true;
}

bool command_line_has_open_quote(const char *line)
{
    while (*line != '\0') {
        const char *close = *line == '"' ? closing_quote(line) : line;
        if (close == NULL)
            return true;
        line = close + 1;
    }
    return false;
}

/* Find the last word with this name, with a value or without one. So a word that a script appends
 * replaces an earlier one. */
static bool find(const char *line, const char *key, bool has_value, struct piece *ret_value)
{
    bool is_found = false;
    struct command_line_word word;
    while (command_line_next(&line, &word)) {
        if (word.has_value == has_value && piece_equals(word.name, key)) {
            *ret_value = word.value;
            is_found = true;
        }
    }
    return is_found;
}

bool command_line_has(const char *line, const char *key)
{
    struct piece none;
    return find(line, key, false, &none);
}

bool command_line_mentions(const char *line, const char *key)
{
    struct piece value;
    return command_line_has(line, key) || find(line, key, true, &value);
}

bool command_line_value(const char *line, const char *key, char *value, size_t capacity_bytes)
{
    struct piece found;
    if (!find(line, key, true, &found) || found.length >= capacity_bytes)
        return false;
    memcpy(value, found.text, found.length);
    value[found.length] = '\0';
    return true;
}

bool command_line_is(const char *line, const char *key, const char *value)
{
    struct piece found;
    return find(line, key, true, &found) && piece_equals(found, value);
}

bool command_line_number(const char *line, const char *key, uint64_t *ret_number)
{
    struct piece found;
    return find(line, key, true, &found) && number_parse(found.text, found.length, ret_number);
}
