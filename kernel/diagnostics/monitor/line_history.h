/*
 * line_history.h - the newest lines that were typed.
 *
 * Pure. Phase: any. Lines have at most LINE_LIMIT characters.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_LINE_HISTORY_H
#define KERNEL_DIAGNOSTICS_MONITOR_LINE_HISTORY_H

#include <stddef.h>

/* The longest line. A longer one is refused: no command needs it. */
#define LINE_LIMIT 255

#define LINE_HISTORY_LIMIT 16

/* Begins as zeros. */
struct line_history {
    char lines[LINE_HISTORY_LIMIT][LINE_LIMIT + 1]; /* a ring */
    size_t next;                                    /* the place of the next line */
    size_t count;
};

/* Add a line. An empty line, and one that equals the newest, are not added. */
void line_history_add(struct line_history *history, const char *line);

/* Return the line that is `age` lines old: 1 is the newest. NULL if there is none, or for 0. */
const char *line_history_at(const struct line_history *history, size_t age);

#endif
