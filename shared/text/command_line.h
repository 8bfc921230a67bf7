/*
 * command_line.h - look up words in the kernel's command line.
 *
 * The line is words separated by blanks (space, tab). A word is a bare `key` or `key=value`; double
 * quotes keep blanks in a value: `title="two words"`. A quote that is never closed is a character
 * like any other, so that the words behind it still count. Keys are compared exactly. Where a key
 * has a value twice the last one counts.
 *
 * Pure: no allocation, the line is not changed. `line` is NUL-terminated and never NULL.
 * Fuzzed by tests/fuzz/fuzz_command_line.c.
 */
#ifndef SHARED_TEXT_COMMAND_LINE_H
#define SHARED_TEXT_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/text/piece.h"

struct command_line_word {
    struct piece text;  /* the whole word, with its quotes */
    struct piece name;  /* the word, or what stands before its first '=' */
    struct piece value; /* what stands behind it, without quotes that enclose it */
    bool has_value;     /* there is a '='; the value may be empty */
};

/* Take the next word off *line, which then points behind it. False at the end of the line;
 * *ret_word is not written then. */
bool command_line_next(const char **line, struct command_line_word *ret_word)
    __attribute__((warn_unused_result));

/* True if a quote is never closed. */
bool command_line_has_open_quote(const char *line);

/* True if the word `key` stands there alone, without `=`. */
bool command_line_has(const char *line, const char *key);

/* True if `key` stands there, alone or with any value, were it too long for command_line_value().
 */
bool command_line_mentions(const char *line, const char *key);

/* Copy the value of the last `key=value`, without quotes that enclose it, NUL-terminated.
 * False, and `value` not written, if there is none or it has no room in `capacity_bytes`. */
bool command_line_value(const char *line, const char *key, char *value, size_t capacity_bytes)
    __attribute__((warn_unused_result));

/* The value of the last `key=value` as a number (see shared/text/number.h).
 * False, and *ret_number not written, if there is none or it is no number below 2^64. */
bool command_line_number(const char *line, const char *key, uint64_t *ret_number)
    __attribute__((warn_unused_result));

#endif
