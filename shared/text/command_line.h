/*
 * command_line.h - look up words in the kernel's command line.
 *
 * The line consists of words that blanks (space, tab) separate. A word is `key` or `key=value`.
 * Double quotes keep blanks in a value: `title="two words"`. A quote that is never closed is an
 * ordinary character, so that the words behind it still count. Upper and lower case are different
 * in a key. If a key has two values, the last one counts.
 *
 * Pure: nothing is allocated, and the line is not changed. `line` ends with a NUL and is never
 * NULL. tests/fuzz/fuzz_command_line.c fuzzes these functions.
 */
#ifndef SHARED_TEXT_COMMAND_LINE_H
#define SHARED_TEXT_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/text/piece.h"

struct command_line_word {
    struct piece text;  /* the whole word, with its quotes */
    struct piece name;  /* the text before the first '=', or the whole word without a '=' */
    struct piece value; /* the text behind the first '=', without quotes that enclose it */
    bool has_value;     /* the word has a '='; the value may be empty */
};

/* Take the next word off *line, and let *line point behind it. Return false at the end of the line;
 * then *ret_word is not written. */
bool command_line_next(const char **line, struct command_line_word *ret_word)
    __attribute__((warn_unused_result));

/* Return true if the line has a quote that is never closed. */
bool command_line_has_open_quote(const char *line);

/* Return true if the line has the word `key` without a value. */
bool command_line_has(const char *line, const char *key);

/* Return true if the line has `key` or `key=value`, also with a value that is too long for
 * command_line_value(). */
bool command_line_mentions(const char *line, const char *key);

/* Copy the value of the last `key=value` to `value`, without quotes that enclose it, and add a NUL.
 * Return false, and do not write `value`, if the line has no `key=value`, or if the value and its
 * NUL need more than `capacity_bytes`. */
bool command_line_value(const char *line, const char *key, char *value, size_t capacity_bytes)
    __attribute__((warn_unused_result));

/* Return true if the last `key=value` of the line has this value. */
bool command_line_is(const char *line, const char *key, const char *value);

/* Read the value of the last `key=value` as a number (shared/text/number.h).
 * Return false, and do not write *ret_number, if the line has no `key=value`, or if the value is
 * not a number below 2^64. */
bool command_line_number(const char *line, const char *key, uint64_t *ret_number)
    __attribute__((warn_unused_result));

#endif
