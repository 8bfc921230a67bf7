#include "shared/command_line.h"

#include "shared/memory.h"
#include "shared/number.h"
#include "shared/piece.h"

/* Take the next word off the line. False at the end. */
static bool next_word(const char **line, struct piece *ret_word)
{
    const char *start = *line;
    while (piece_is_blank(*start))
        start++;

    const char *end = start;
    bool quoted = false;
    while (*end != '\0' && (quoted || !piece_is_blank(*end))) {
        if (*end == '"')
            quoted = !quoted;
        end++;
    }
    *line = end;
    *ret_word = (struct piece){start, (size_t)(end - start)};
    return end != start;
}

/* Kinder than the quotes of handoff.conf: nobody is there to be told of one that is missing. */
static struct piece without_quotes(struct piece value)
{
    if (value.length == 0 || value.text[0] != '"')
        return value;
    value.text++;
    value.length--;
    if (value.length > 0 && value.text[value.length - 1] == '"')
        value.length--;
    return value;
}

static bool find_value(const char *line, const char *key, struct piece *ret_value)
{
    struct piece word;
    while (next_word(&line, &word)) {
        struct piece name;
        struct piece value;
        if (piece_split(word, '=', &name, &value) && piece_equals(name, key)) {
            *ret_value = without_quotes(value);
            return true;
        }
    }
    return false;
}

bool command_line_has(const char *line, const char *key)
{
    struct piece word;
    while (next_word(&line, &word)) {
        if (piece_equals(word, key))
            return true;
    }
    return false;
}

bool command_line_mentions(const char *line, const char *key)
{
    struct piece value;
    return command_line_has(line, key) || find_value(line, key, &value);
}

bool command_line_value(const char *line, const char *key, char *value, size_t capacity_bytes)
{
    struct piece found;
    if (!find_value(line, key, &found) || found.length >= capacity_bytes)
        return false;
    memcpy(value, found.text, found.length);
    value[found.length] = '\0';
    return true;
}

bool command_line_number(const char *line, const char *key, uint64_t *ret_number)
{
    struct piece found;
    return find_value(line, key, &found) && number_parse(found.text, found.length, ret_number);
}
