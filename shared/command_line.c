#include "shared/command_line.h"

#include "shared/memory.h"
#include "shared/number.h"

/* A piece of the line; not NUL-terminated. */
struct piece {
    const char *text;
    size_t length;
};

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

/* Take the next word off the line. False at the end. */
static bool next_word(const char **line, struct piece *ret_word)
{
    const char *start = *line;
    while (is_blank(*start))
        start++;

    const char *end = start;
    bool quoted = false;
    while (*end != '\0' && (quoted || !is_blank(*end))) {
        if (*end == '"')
            quoted = !quoted;
        end++;
    }
    *line = end;
    *ret_word = (struct piece){start, (size_t)(end - start)};
    return end != start;
}

/* How much of the word the key is: its length if the word begins with all of it, else 0. */
static size_t matching_length(struct piece word, const char *key)
{
    size_t length = 0;
    while (key[length] != '\0') {
        if (length == word.length || word.text[length] != key[length])
            return 0;
        length++;
    }
    return length;
}

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
        size_t key_length = matching_length(word, key);
        if (key_length == 0 || key_length == word.length || word.text[key_length] != '=')
            continue;
        struct piece value = {word.text + key_length + 1, word.length - key_length - 1};
        *ret_value = without_quotes(value);
        return true;
    }
    return false;
}

bool command_line_has(const char *line, const char *key)
{
    struct piece word;
    while (next_word(&line, &word)) {
        if (matching_length(word, key) == word.length)
            return true;
    }
    return false;
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
