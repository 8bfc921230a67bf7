/*
 * log_colour.h - colours for the lines of the log on a terminal: SGR sequences of ECMA-48, 8.3.117.
 *
 *   [stage]                cyan
 *   [stage] warning: …     the stage in cyan, the rest in yellow
 *   [panic] …              bold red, the whole line
 *
 * All other text has the terminal's own colour. A sequence never stays in force after its line.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_CORE_LOG_COLOUR_H
#define KERNEL_CORE_LOG_COLOUR_H

#include <stdbool.h>
#include <stddef.h>

/* Starts as zeros. */
struct log_colour {
    bool is_within_line; /* the text so far does not end with a line feed */
    bool is_coloured;    /* a colour is in force */
};

typedef void log_colour_emit(void *context, const char *text, size_t length_bytes);

/* Pass a text to `emit`, with sequences in between. The text may be many lines, or a part of a line.
 * Only the part with the line's first character decides about its colour. */
void log_colour_write(struct log_colour *colour, const char *text, size_t length_bytes,
                      log_colour_emit *emit, void *context);

#endif
