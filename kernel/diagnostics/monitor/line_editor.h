/*
 * line_editor.h - edit one line of text with keys, and show it on a simple terminal.
 *
 *   left, right, Ctrl-B, Ctrl-F    move by a character       Ctrl-K   delete to the end
 *   Home, End, Ctrl-A, Ctrl-E      move to an end            Ctrl-U   delete to the start
 *   Backspace, Delete, Ctrl-D      delete a character        Ctrl-W   delete the word before
 *   up, down, Ctrl-P, Ctrl-N       older and newer lines     Ctrl-C   drop the line
 *   Tab                            LINE_EDITOR_TAB           Ctrl-L   LINE_EDITOR_CLEAR
 *
 * The output has only printable characters, '\b' and '\n', so it works on a terminal without
 * control sequences and on the framebuffer. A line that is longer than the terminal is shown in
 * part. A character without room in the line is counted, and Enter then refuses the line.
 *
 * Pure. Phase: any. Fuzzed by tests/fuzz/fuzz_monitor.c.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_LINE_EDITOR_H
#define KERNEL_DIAGNOSTICS_MONITOR_LINE_EDITOR_H

#include <stddef.h>

#include "kernel/diagnostics/monitor/line_history.h"
#include "kernel/input/key.h"
#include "shared/text/piece.h"

/* With the prompt before it, a line takes at most 79 columns of a terminal of 80 or more. */
#define LINE_EDITOR_TERMINAL_COLUMNS 80
#define LINE_EDITOR_PROMPT           "handoff> "
#define LINE_EDITOR_SHOWN_COLUMNS    ((size_t)70)

enum line_editor_event {
    LINE_EDITOR_GOES_ON,
    LINE_EDITOR_COMPLETE, /* `text` is the line; call line_editor_begin() for the next one */
    LINE_EDITOR_TOO_LONG, /* Enter, but characters did not fit; call line_editor_begin() */
    LINE_EDITOR_DROPPED,  /* Ctrl-C; call line_editor_begin() */
    LINE_EDITOR_TAB,      /* the caller may complete the word before the cursor */
    LINE_EDITOR_CLEAR,    /* the caller clears the screen, and calls line_editor_show() */
};

struct line_editor {
    char text[LINE_LIMIT + 1]; /* NUL-terminated */
    size_t length;
    size_t cursor;       /* <= length */
    size_t excess_count; /* characters that did not fit */

    const struct line_history *history;
    size_t age;                 /* of the line of the history that is edited; 0: the new line */
    char draft[LINE_LIMIT + 1]; /* the new line, while `age` is not 0 */

    size_t shown_limit; /* 1 <= shown_limit <= LINE_EDITOR_SHOWN_COLUMNS */
    size_t shown_from;  /* the first character on the terminal */
    size_t shown_length;
    size_t shown_cursor; /* the terminal's cursor, from the first character */

    void (*write)(void *context, const char *text, size_t length_bytes);
    void *context;
};

/* Prepare an editor for terminals of at least `columns` columns. `history` is only read, and must
 * stay valid. */
void line_editor_initialise(struct line_editor *editor, const struct line_history *history,
                            size_t columns,
                            void (*write)(void *context, const char *text, size_t length_bytes),
                            void *context);

/* Begin an empty line, and show the prompt. */
void line_editor_begin(struct line_editor *editor);

/* Take a key. Any other key than the ones above, and all noise, changes nothing. */
enum line_editor_event line_editor_take(struct line_editor *editor, key_code key);

/* Insert text before the cursor, as if it was typed. */
void line_editor_insert(struct line_editor *editor, struct piece text);

/* Show prompt and line again, on a new line of the terminal. */
void line_editor_show(struct line_editor *editor);

#endif
