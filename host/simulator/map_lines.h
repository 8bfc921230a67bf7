/*
 * map_lines.h - one row of a memory map in each of the forms (map_text.h shows them).
 *
 * `find` looks for a row of a form in a line, and moves the cursor to its beginning. `read` reads
 * the row and moves the cursor behind it. It returns NULL, or a constant clause that names the
 * error, and then the cursor is at the error. If this is the end of the line, the row may continue
 * in the next line.
 */
#ifndef HOST_SIMULATOR_MAP_LINES_H
#define HOST_SIMULATOR_MAP_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "bootloader/pure/memory_map.h"
#include "shared/range.h"
#include "host/simulator/text_cursor.h"

/* A row, and the other facts of its line. */
struct map_line {
    struct memory_map_descriptor row;
    uint64_t first; /* the row's bytes before rounding to pages; last + 1 == first: empty */
    uint64_t last;
    uint64_t number;     /* the row's own number, mem00 …; only if has_number */
    bool has_number;     /* of Linux's list */
    bool is_ignored;     /* a line of the list that is not a row: a gap, a device */
    bool is_framebuffer; /* this kernel's: the firmware may have no row for it */
    bool ends_in_words;  /* GRUB's: more attributes may be on the next line */
    bool ends_in_digit;  /* the shell's: perhaps the first digit of a number that was cut */
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

/* Return true for a line with only words for attributes, which may be the end of a row of GRUB. */
bool map_lines_is_attributes(struct text_cursor cursor);

/* Return true for a line with only the digits of one number. */
bool map_lines_is_digits(struct text_cursor cursor);

/* --- Lists of E820 (map_lines_e820.c) --------------------------------------------------------- */

/* A row behind `mark` and a colon. "BIOS-": with any word behind it. */
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

/* A data row has no mark. */
map_lines_read map_lines_read_data;

/* Return true for a line that begins like a data row. */
bool map_lines_looks_like_data(struct text_cursor cursor);

/* --- For all forms ---------------------------------------------------------------------------- */

/* The characters that a mailer, a table of Markdown or a quote puts before the text of a line. */
#define MAP_LINES_QUOTE_MARKS " \t>|`*+"

/* Make the row of the whole pages of [first, last]; last + 1 == first is an empty row. E820 counts
 * in bytes. So a page that is only partly RAM is not RAM, and a page that is partly of another kind
 * is of this kind. */
const char *map_lines_row_of_bytes(uint32_t type, uint64_t first, uint64_t last,
                                   struct map_line *ret_line);

/* Return the number of pages of [first, last]. Precondition: these are whole pages. */
const char *map_lines_pages_of(uint64_t first, uint64_t last, uint64_t *ret_page_count);

#endif
