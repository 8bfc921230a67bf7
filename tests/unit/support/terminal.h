/*
 * terminal.h - a terminal of one row for the tests of the line editor: it understands printable
 * characters, '\b' and '\n', and nothing else.
 */
#ifndef TESTS_UNIT_SUPPORT_TERMINAL_H
#define TESTS_UNIT_SUPPORT_TERMINAL_H

#include <stddef.h>

#define TERMINAL_COLUMNS 80

/* Begins as zeros. */
struct terminal {
    char row[TERMINAL_COLUMNS + 1]; /* without blanks at its end, NUL-terminated */
    char cells[TERMINAL_COLUMNS];   /* '\0' where nothing was written */
    size_t column;
    size_t column_limit; /* 0: TERMINAL_COLUMNS */
    unsigned line_count; /* '\n' so far */
};

/* The `write` callback of an editor; `context` is the terminal. Abort if a character does not fit,
 * or if it is none of the above. */
void terminal_write(void *context, const char *text, size_t length_bytes);

#endif
