/*
 * map_lines.h - one row of a memory map in each of the forms (map_text.h shows them).
 *
 * `find` looks for a row of a form in a line, and moves the cursor to its beginning. `read` reads
 * the row and moves the cursor behind it. It returns NULL, or a constant clause that names the
 * error, and then the cursor is at the error. If that is the end of the line, the row may go on in
 * the next line.
 */
#ifndef HOST_SIMULATOR_MAP_LINES_H
#define HOST_SIMULATOR_MAP_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "bootloader/pure/memory_map.h"
#include "shared/range.h"
#include "host/simulator/text_cursor.h"

/* A row and what else its line says. */
struct map_line {
    struct memory_map_descriptor row;
    uint64_t first; /* the row's bytes, before they became whole pages; last + 1 == first: none */
    uint64_t last;
    uint64_t number;     /* the row's own number, mem00 …; only if has_number */
    bool has_number;     /* of Linux's list */
    bool is_ignored;     /* a line of the list that is no row: a gap, a device's addresses */
    bool is_framebuffer; /* our kernel's: the firmware may have no row for it */
    bool ends_in_words;  /* GRUB's: more of them may be on the next line */
    bool ends_in_digit;  /* the shell's: one that may be the first of a number that was cut */
};

typedef bool map_lines_find(struct text_cursor *cursor, const char *mark);
typedef const char *map_lines_read(struct text_cursor *cursor, struct map_line *ret_line);

/* --- The firmware's own map (map_lines_efi.c) ------------------------------------------------- */

map_lines_find map_lines_find_linux;
map_lines_read map_lines_read_linux;

/* The EFI map in Xen's log. */
map_lines_find map_lines_find_xen;
map_lines_read map_lines_read_xen;

map_lines_find map_lines_find_kernel_log;
map_lines_read map_lines_read_kernel_log;

/* The table of the UEFI shell's memmap and of GRUB's lsefimmap. */
map_lines_find map_lines_find_table;
map_lines_read map_lines_read_table;

/* "  BS_Data   :          9,424 Pages (38,600,704 Bytes)" below the shell's table. */
bool map_lines_read_sum(struct text_cursor cursor, uint32_t *ret_type, uint64_t *ret_page_count);

/* True for a line of nothing but attributes' words, as GRUB ends its rows. */
bool map_lines_is_attributes(struct text_cursor cursor);

/* True for a line of nothing but the digits of one number. */
bool map_lines_is_digits(struct text_cursor cursor);

/* --- Lists of E820 (map_lines_e820.c) --------------------------------------------------------- */

/* Behind `mark` and a colon. "BIOS-": with any word behind it. */
map_lines_find map_lines_find_marked_e820;
/* A range and a kind without a mark, as Xen prints its list. */
map_lines_find map_lines_find_bare_e820;
map_lines_read map_lines_read_e820;

/* GRUB's lsmmap. */
map_lines_find map_lines_find_lsmmap;
map_lines_read map_lines_read_lsmmap;

/* Linux's /proc/iomem. */
map_lines_find map_lines_find_iomem;
map_lines_read map_lines_read_iomem;

/* --- Data rows (map_lines_data.c) ------------------------------------------------------------- */

/* A data row has no mark of its own. */
map_lines_read map_lines_read_data;

/* True for a line that begins as a data row does. */
bool map_lines_looks_like_data(struct text_cursor cursor);

/* --- For all of them -------------------------------------------------------------------------- */

/* What a mailer, a table of Markdown or a quote puts before a line's own text. */
#define MAP_LINES_QUOTE_MARKS " \t>|`*+"

/* The row of the whole pages of [first, last]; last + 1 == first: an empty one. Counted in bytes as
 * E820 does it, a page that is RAM only in part is not RAM, one that is something else in part is
 * that. */
const char *map_lines_row_of_bytes(uint32_t type, uint64_t first, uint64_t last,
                                   struct map_line *ret_line);

/* The number of whole pages of [first, last], which must be whole. */
const char *map_lines_pages_of(uint64_t first, uint64_t last, uint64_t *ret_page_count);

#endif
