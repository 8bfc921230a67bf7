/*
 * command_line.h - look up words in the kernel's command line.
 *
 * The line is words separated by blanks (space, tab). A word is a bare `key` or `key=value`; double
 * quotes keep blanks in a value: `title="two words"`. A quote that is never closed reaches to the
 * end of the line. Keys are compared exactly. Where a key stands twice the first one counts.
 *
 * Pure: no allocation, the line is not changed. `line` is NUL-terminated and never NULL.
 * Fuzzed by tests/fuzz/fuzz_command_line.c.
 */
#ifndef SHARED_COMMAND_LINE_H
#define SHARED_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if the word `key` stands there alone, without `=`. */
bool command_line_has(const char *line, const char *key);

/* True if `key` stands there, alone or with any value, were it too long for command_line_value().
 */
bool command_line_mentions(const char *line, const char *key);

/* Copy the value of the first `key=value`, without quotes that enclose it, NUL-terminated.
 * False, and `value` not written, if there is none or it has no room in `capacity_bytes`. */
bool command_line_value(const char *line, const char *key, char *value, size_t capacity_bytes)
    __attribute__((warn_unused_result));

/* The value of the first `key=value` as a number (see shared/number.h).
 * False, and *ret_number not written, if there is none or it is no number below 2^64. */
bool command_line_number(const char *line, const char *key, uint64_t *ret_number)
    __attribute__((warn_unused_result));

#endif
