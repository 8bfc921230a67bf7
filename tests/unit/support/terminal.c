#include "tests/unit/support/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(const char *why, char character)
{
    (void)fprintf(stderr, "the terminal got 0x%02x: %s\n", (unsigned char)character, why);
    abort();
}

static void take(struct terminal *terminal, char character)
{
    size_t limit = terminal->column_limit == 0 ? TERMINAL_COLUMNS : terminal->column_limit;
    if (character == '\n') {
        memset(terminal->cells, 0, sizeof terminal->cells);
        terminal->column = 0;
        terminal->line_count++;
    } else if (character == '\b') {
        if (terminal->column-- == 0)
            refuse("it is at the start of the row", character);
    } else if (character < ' ' || character > '~') {
        refuse("it cannot show it", character);
    } else {
        if (terminal->column == limit - 1)
            refuse("the row is full", character);
        terminal->cells[terminal->column++] = character;
    }
}

void terminal_write(void *context, const char *text, size_t length_bytes)
{
    struct terminal *terminal = context;
    for (size_t i = 0; i < length_bytes; i++)
        take(terminal, text[i]);
    size_t length = TERMINAL_COLUMNS;
    while (length > 0 &&
           (terminal->cells[length - 1] == ' ' || terminal->cells[length - 1] == '\0'))
        length--;
    memcpy(terminal->row, terminal->cells, length);
    terminal->row[length] = '\0';
}
