/* The kernel's command line, with any line and any key. A value that is found is a part of the
 * line. A value that does not fit is refused, and no byte is written. */
#include <stdbool.h>
#include <string.h>

#include "kernel/core/command_words.h"
#include "shared/text/command_line.h"
#include "tests/fuzz/require.h"

#define KEY_CAPACITY   8
#define VALUE_CAPACITY 512

/* Return true if the line has `key` with the value `value`, with or without quotes. */
static bool line_has_value(const char *line, const char *key, const char *value)
{
    size_t key_length = strlen(key);
    for (const char *found = strstr(line, key); found != NULL; found = strstr(found + 1, key)) {
        const char *after = found + key_length;
        if (*after != '=')
            continue;
        after++;
        if (*after == '"' && strncmp(after + 1, value, strlen(value)) == 0)
            return true;
        if (strncmp(after, value, strlen(value)) == 0)
            return true;
    }
    return false;
}

/* Words before and after any line are found. */
static void check_extended(const char *line)
{
    size_t length = strlen(line);
    char *extended = malloc(length + 32);
    char value[8];
    require(extended != NULL);
    (void)snprintf(extended, length + 32, "first %s last=7", line);
    require(command_line_has(extended, "first"));
    require(command_line_value(extended, "last", value, sizeof(value)) && strcmp(value, "7") == 0);
    free(extended);
}

static void require_sentence(void *context, const char *sentence)
{
    unsigned *count = context;
    require(++*count <= COMMAND_WORDS_REPORT_LIMIT + 1);
    for (const char *at = sentence; *at != '\0'; at++)
        require(*at >= ' ' && *at <= '~');
}

/* A line with unknown words or an open quote gives at least one report. */
static void check_words(const char *line)
{
    unsigned count = 0;
    command_words_check(line, require_sentence, &count);
    require(count != 0 || !command_line_has_open_quote(line));
    require(count != 0 || !command_line_mentions(line, "no-such-word"));
}

static void check(const char *line, const char *key)
{
    char value[VALUE_CAPACITY];
    char small[4] = "abc";
    uint64_t number = 12345;
    bool has_value = command_line_value(line, key, value, sizeof(value));
    if (has_value) {
        require(memchr(value, '\0', sizeof(value)) != NULL);
        require(line_has_value(line, key, value));
    }
    if (command_line_value(line, key, small, sizeof(small)))
        require(has_value && strcmp(small, value) == 0);
    else
        require(strcmp(small, "abc") == 0);
    if (!command_line_number(line, key, &number))
        require(number == 12345);
    if (command_line_has(line, key))
        require(strstr(line, key) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    /* The first bytes up to a newline are the key, the rest is the line. */
    char key[KEY_CAPACITY] = {0};
    size_t key_length = 0;
    while (key_length < KEY_CAPACITY - 1 && key_length < size_bytes && bytes[key_length] != '\n') {
        key[key_length] = (char)bytes[key_length];
        key_length++;
    }
    if (key_length == 0)
        return 0; /* a key is never empty */
    size_t line_length = size_bytes - key_length;
    char *line = malloc(line_length + 1);
    require(line != NULL);
    memcpy(line, bytes + key_length, line_length);
    line[line_length] = '\0';
    if (key[0] != '\0')
        check(line, key);
    check_extended(line);
    check_words(line);
    free(line);
    return 0;
}
