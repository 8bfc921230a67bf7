/*
 * map_lines.h - one line of a memory map in each of the forms (map_text.h shows them).
 *
 * `find` functions say whether a line is of a form at all and move the cursor to where the row
 * begins; `read` functions take the row from there. NULL means that it was read, else a constant
 * clause says what is wrong with it.
 */
#ifndef TESTS_SIMULATOR_MAP_LINES_H
#define TESTS_SIMULATOR_MAP_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "bootloader/memory_map.h"
#include "shared/range.h"
#include "tests/simulator/text_cursor.h"

/* A row and what else its line says. */
struct map_line {
    struct memory_map_descriptor row;
    uint64_t number;     /* Linux: the row's own number, mem00 … */
    bool is_gap;         /* E820: a line that says that there is nothing */
    bool is_framebuffer; /* our kernel's: the firmware may have no row for it */
};

/* A data row has no mark of its own: every line that is neither blank nor a comment is one. */
const char *map_lines_read_row(struct text_cursor cursor, struct map_line *ret_line);

bool map_lines_find_linux(struct text_cursor *cursor);
const char *map_lines_read_linux(struct text_cursor cursor, struct map_line *ret_line);

bool map_lines_find_e820(struct text_cursor *cursor);
const char *map_lines_read_e820(struct text_cursor cursor, struct map_line *ret_line);

bool map_lines_find_kernel_log(struct text_cursor *cursor);
const char *map_lines_read_kernel_log(struct text_cursor cursor, struct map_line *ret_line);

/* True for a row of the shell's table, also one that cannot be read. */
bool map_lines_find_shell(struct text_cursor *cursor);
const char *map_lines_read_shell(struct text_cursor cursor, struct map_line *ret_line);

/* "  BS_Data   :          9,424 Pages (38,600,704 Bytes)" below the shell's table. */
bool map_lines_read_shell_sum(struct text_cursor cursor, uint32_t *ret_type,
                              uint64_t *ret_page_count);

#endif
