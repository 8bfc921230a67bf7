#include "tests/simulator/map_lines.h"

#include "shared/address.h"
#include "shared/handoff.h"
#include "tests/simulator/efi_names.h"

/* More pages than any address space has: memory_map.c drops the row as one that wraps. */
#define PAGES_OF_INVALID_ROW UINT64_MAX

/* The number of whole pages of [start, last]. One that ends just before it begins is empty, which
 * is how Linux and the shell print a row of no pages. */
static const char *pages_of_inclusive(uint64_t start, uint64_t last, uint64_t *ret_page_count)
{
    if (last + 1 == start) {
        *ret_page_count = 0;
        return NULL;
    }
    if (last < start)
        return "the range ends before it begins";
    if ((last - start) % PAGE_SIZE_BYTES != PAGE_MASK)
        return "the range is not a whole number of pages";
    *ret_page_count = (last - start) / PAGE_SIZE_BYTES + 1;
    return NULL;
}

/* E820 counts in bytes: a page that is RAM only in part is not RAM, one that is something else in
 * part is that. */
static const char *row_of_e820(uint32_t type, uint64_t start, uint64_t last,
                               struct memory_map_descriptor *ret_row)
{
    if (last + 1 != start && last < start)
        return "the range ends before it begins";
    uint64_t first_page = start / PAGE_SIZE_BYTES;
    uint64_t end_page = last / PAGE_SIZE_BYTES + 1;
    if (last + 1 == start) {
        end_page = first_page;
    } else if (type == EFI_TYPE_CONVENTIONAL) {
        first_page += page_is_aligned(start) ? 0 : 1;
        end_page -= (last & PAGE_MASK) == PAGE_MASK ? 0 : 1;
    }
    *ret_row = (struct memory_map_descriptor){
        .type = type,
        .physical_start = first_page * PAGE_SIZE_BYTES,
        .page_count = end_page > first_page ? end_page - first_page : 0,
        .attribute = EFI_ATTRIBUTES_OF_RAM,
    };
    return NULL;
}

/* A comment may follow a data row. */
static const char *require_end(struct text_cursor *cursor)
{
    text_cursor_skip_blanks(cursor);
    struct text_cursor comment = *cursor;
    if (text_cursor_at_end(cursor) || text_cursor_take(&comment, "#"))
        return NULL;
    return "there is more on the line than a row";
}

/* --- Data rows -------------------------------------------------------------------------------- */

static bool take_field(struct text_cursor *cursor, bool hexadecimal, uint64_t *ret_number)
{
    text_cursor_skip_blanks(cursor);
    return hexadecimal ? text_cursor_take_hex(cursor, ret_number)
                       : text_cursor_take_number(cursor, ret_number);
}

static const char *read_efi_row(struct text_cursor cursor, struct map_line *ret_line)
{
    uint64_t type, base, page_count, attribute;
    if (!take_field(&cursor, false, &type) || type > UINT32_MAX)
        return "the type is not a number of 32 bits";
    if (!take_field(&cursor, true, &base))
        return "the base is not a hexadecimal number of 64 bits";
    if (!take_field(&cursor, false, &page_count))
        return "the number of pages is not a number of 64 bits";
    if (!take_field(&cursor, true, &attribute))
        return "the attributes are not a hexadecimal number of 64 bits";
    const char *problem = require_end(&cursor);
    if (problem == NULL)
        *ret_line = (struct map_line){.row = {.type = (uint32_t)type,
                                              .physical_start = base,
                                              .page_count = page_count,
                                              .attribute = attribute}};
    return problem;
}

static const char *read_e820_row(struct text_cursor cursor, struct map_line *ret_line)
{
    struct text_cursor kind;
    uint32_t type;
    uint64_t start, last;
    struct memory_map_descriptor row;
    if (!text_cursor_take_until(&cursor, ' ', &kind) || !efi_names_e820_type(kind, &type))
        return "this is no row of a memory map in any form that is known here";
    if (!take_field(&cursor, true, &start) || !take_field(&cursor, true, &last))
        return "first or last address is not a hexadecimal number of 64 bits";
    const char *problem = require_end(&cursor);
    if (problem == NULL)
        problem = row_of_e820(type, start, last, &row);
    if (problem == NULL)
        *ret_line = (struct map_line){.row = row};
    return problem;
}

const char *map_lines_read_row(struct text_cursor cursor, struct map_line *ret_line)
{
    text_cursor_skip_blanks(&cursor);
    if (cursor.at < cursor.end && *cursor.at >= '0' && *cursor.at <= '9')
        return read_efi_row(cursor, ret_line);
    return read_e820_row(cursor, ret_line);
}

/* --- Linux: efi: mem00: … --------------------------------------------------------------------- */

/* Behind "efi:"; other lines of the same prefix tell of something else ("efi: Remove mem63: …"). */
bool map_lines_find_linux(struct text_cursor *cursor)
{
    struct text_cursor rest = *cursor;
    while (text_cursor_take_through(&rest, "efi:")) {
        struct text_cursor row = rest;
        uint64_t number;
        text_cursor_skip_blanks(&row);
        struct text_cursor begin = row;
        if (text_cursor_take(&row, "mem") && text_cursor_take_decimal(&row, &number) &&
            text_cursor_take(&row, ":")) {
            *cursor = begin;
            return true;
        }
    }
    return false;
}

/* type=7, attr=0xf, */
static const char *take_numeric_type(struct text_cursor *cursor, struct memory_map_descriptor *row)
{
    uint64_t type;
    if (!text_cursor_take_number(cursor, &type) || type > UINT32_MAX)
        return "the type is not a number of 32 bits";
    text_cursor_skip_blanks(cursor);
    (void)text_cursor_take(cursor, ",");
    text_cursor_skip_blanks(cursor);
    if (!text_cursor_take(cursor, "attr=") || !text_cursor_take_hex(cursor, &row->attribute))
        return "the attributes are not a hexadecimal number of 64 bits";
    row->type = (uint32_t)type;
    (void)text_cursor_take(cursor, ",");
    return NULL;
}

static const char *add_attribute(struct text_cursor name, struct memory_map_descriptor *row)
{
    uint64_t attribute;
    text_cursor_skip_blanks(&name);
    if (text_cursor_at_end(&name))
        return NULL;
    if (text_cursor_take(&name, "attr=")) {
        if (!text_cursor_take_hex(&name, &attribute))
            return "the attributes are not a hexadecimal number of 64 bits";
    } else if (!efi_names_attribute(name, &attribute)) {
        return "an attribute has an unknown name";
    }
    row->attribute |= attribute;
    return NULL;
}

/* [Conventional Memory|   |  |WB|WT|WC|UC] behind its bracket, or "type=29|…". */
static const char *take_named_type(struct text_cursor *cursor, struct memory_map_descriptor *row)
{
    struct text_cursor brackets, name;
    uint64_t number;
    if (!text_cursor_take_until(cursor, ']', &brackets))
        return "the bracket behind type and attributes is missing";
    if (!text_cursor_take_until(&brackets, '|', &name))
        return "type and attributes are not parted by |";
    if (text_cursor_take(&name, "type=")) {
        if (!text_cursor_take_number(&name, &number) || number > UINT32_MAX)
            return "the type is not a number of 32 bits";
        row->type = (uint32_t)number;
    } else if (!efi_names_type(name, &row->type)) {
        return "the type has an unknown name";
    }
    const char *problem = NULL;
    while (problem == NULL && text_cursor_take_until(&brackets, '|', &name))
        problem = add_attribute(name, row);
    return problem != NULL ? problem : add_attribute(brackets, row);
}

/* range=[0x0-0x9f000) is half open, range=[0x0-0x9efff] is not. */
static const char *take_range(struct text_cursor *cursor, struct memory_map_descriptor *row)
{
    uint64_t start, end;
    text_cursor_skip_blanks(cursor);
    if (!text_cursor_take(cursor, "range=["))
        return "the range is missing";
    if (!text_cursor_take_hex(cursor, &start) || !text_cursor_take(cursor, "-"))
        return "the range does not begin with a hexadecimal number of 64 bits";
    row->physical_start = start;
    struct text_cursor rest = *cursor;
    if (text_cursor_take_through(&rest, "(invalid)")) {
        row->page_count = PAGES_OF_INVALID_ROW;
        return NULL;
    }
    if (!text_cursor_take_hex(cursor, &end))
        return "the range does not end with a hexadecimal number of 64 bits";
    if (text_cursor_take(cursor, ")"))
        return pages_of_inclusive(start, end - 1, &row->page_count);
    if (text_cursor_take(cursor, "]"))
        return pages_of_inclusive(start, end, &row->page_count);
    return "the range does not end with a bracket";
}

const char *map_lines_read_linux(struct text_cursor cursor, struct map_line *ret_line)
{
    struct map_line line = {0};
    if (!text_cursor_take(&cursor, "mem") || !text_cursor_take_decimal(&cursor, &line.number) ||
        !text_cursor_take(&cursor, ":"))
        return "the row has no number";
    text_cursor_skip_blanks(&cursor);
    const char *problem = "neither type=… nor [type|…] follows the row's number";
    if (text_cursor_take(&cursor, "type="))
        problem = take_numeric_type(&cursor, &line.row);
    else if (text_cursor_take(&cursor, "["))
        problem = take_named_type(&cursor, &line.row);
    if (problem == NULL)
        problem = take_range(&cursor, &line.row);
    if (problem == NULL)
        *ret_line = line;
    return problem;
}

/* --- Linux: BIOS-e820: … ---------------------------------------------------------------------- */

bool map_lines_find_e820(struct text_cursor *cursor)
{
    return text_cursor_take_through(cursor, "BIOS-e820:");
}

/* "  639   KB" or "1.9 GB" before the kind: some kernels say the size. */
static void skip_size(struct text_cursor *cursor)
{
    uint64_t number;
    struct text_cursor rest = *cursor;
    text_cursor_skip_blanks(&rest);
    if (!text_cursor_take_decimal(&rest, &number))
        return;
    if (text_cursor_take(&rest, "."))
        (void)text_cursor_take_decimal(&rest, &number);
    text_cursor_skip_blanks(&rest);
    static const char *const UNITS[] = {"KB", "MB", "GB", "TB", "PB"};
    for (unsigned i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (text_cursor_take(&rest, UNITS[i])) {
            *cursor = rest;
            return;
        }
    }
}

static const char *finish_e820(struct text_cursor cursor, uint64_t start, uint64_t last,
                               struct map_line *ret_line)
{
    uint32_t type;
    struct memory_map_descriptor row;
    if (!efi_names_e820_type(cursor, &type))
        return "the kind of memory is not known";
    const char *problem = row_of_e820(type, start, last, &row);
    if (problem == NULL)
        *ret_line = (struct map_line){.row = row};
    return problem;
}

/* 0000000000000000 - 000000000009f400 (usable): half open. */
static const char *read_old_e820(struct text_cursor cursor, struct map_line *ret_line)
{
    uint64_t start, end;
    struct text_cursor kind;
    if (!text_cursor_take_hex(&cursor, &start))
        return "the first address is not a hexadecimal number of 64 bits";
    text_cursor_skip_blanks(&cursor);
    if (!text_cursor_take(&cursor, "-"))
        return "the range has no -";
    text_cursor_skip_blanks(&cursor);
    if (!text_cursor_take_hex(&cursor, &end))
        return "the last address is not a hexadecimal number of 64 bits";
    text_cursor_skip_blanks(&cursor);
    if (!text_cursor_take(&cursor, "(") || !text_cursor_take_until(&cursor, ')', &kind))
        return "the kind of memory is not in parentheses";
    return finish_e820(kind, start, end - 1, ret_line);
}

const char *map_lines_read_e820(struct text_cursor cursor, struct map_line *ret_line)
{
    uint64_t start, last;
    text_cursor_skip_blanks(&cursor);
    if (text_cursor_take(&cursor, "[gap")) {
        *ret_line = (struct map_line){.is_gap = true};
        return NULL;
    }
    if (!text_cursor_take(&cursor, "[mem"))
        return read_old_e820(cursor, ret_line);
    text_cursor_skip_blanks(&cursor);
    if (!text_cursor_take_hex(&cursor, &start) || !text_cursor_take(&cursor, "-") ||
        !text_cursor_take_hex(&cursor, &last) || !text_cursor_take(&cursor, "]"))
        return "the range is not two hexadecimal numbers of 64 bits";
    skip_size(&cursor);
    return finish_e820(cursor, start, last, ret_line);
}

/* --- Our kernel: [region] … ------------------------------------------------------------------- */

bool map_lines_find_kernel_log(struct text_cursor *cursor)
{
    return text_cursor_take_through(cursor, "[region] ");
}

/* The number behind `key`, anywhere on the line: keys may be added. */
static bool find_key(struct text_cursor cursor, const char *key, uint64_t *ret_number)
{
    return text_cursor_take_through(&cursor, key) && text_cursor_take_number(&cursor, ret_number);
}

/* What the loader takes from free memory: on a replay it is free again, to be taken again. */
static bool was_taken_by_loader(struct text_cursor cursor)
{
    static const char *const TYPES[] = {"temp-heap", "stack", "page-tables", "handoff-data",
                                        "kernel-image"};
    struct text_cursor type;
    if (!text_cursor_take_through(&cursor, " type=") ||
        !text_cursor_take_until(&cursor, ' ', &type))
        return false;
    for (unsigned i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        if (text_cursor_is(type, TYPES[i]))
            return true;
    }
    return false;
}

const char *map_lines_read_kernel_log(struct text_cursor cursor, struct map_line *ret_line)
{
    struct map_line line = {0};
    uint64_t size_bytes, efi_type;
    struct text_cursor type = cursor;
    if (!find_key(cursor, "base=", &line.row.physical_start))
        return "base= is missing or no number of 64 bits";
    if (!find_key(cursor, "size=", &size_bytes) || size_bytes % PAGE_SIZE_BYTES != 0)
        return "size= is missing or no whole number of pages";
    if (!find_key(cursor, "efi_type=", &efi_type) || efi_type > UINT32_MAX)
        return "efi_type= is missing or no number of 32 bits";
    if (!find_key(cursor, "attributes=", &line.row.attribute))
        return "attributes= is missing or no number of 64 bits";
    line.row.page_count = size_bytes / PAGE_SIZE_BYTES;
    line.row.type = was_taken_by_loader(cursor) ? EFI_TYPE_CONVENTIONAL : (uint32_t)efi_type;
    line.is_framebuffer = text_cursor_take_through(&type, " type=framebuffer");
    *ret_line = line;
    return NULL;
}

/* --- The UEFI shell's memmap ------------------------------------------------------------------ */

/* A range in the shell's table has 16 digits a side; with fewer than these it is something else. */
#define SHELL_RANGE_DIGITS_MIN 8

/* The word at the line's start; the cursor is then at the first digit of the range. */
static bool split_shell_row(struct text_cursor *cursor, struct text_cursor *ret_name)
{
    struct text_cursor rest = *cursor;
    uint64_t number;
    text_cursor_skip_blanks(&rest);
    if (text_cursor_at_end(&rest) || !text_cursor_take_until(&rest, ' ', ret_name))
        return false;
    text_cursor_skip_blanks(&rest);
    struct text_cursor range = rest;
    if (!text_cursor_take_hex(&range, &number) || range.at - rest.at < SHELL_RANGE_DIGITS_MIN ||
        !text_cursor_take(&range, "-"))
        return false;
    *cursor = rest;
    return true;
}

bool map_lines_find_shell(struct text_cursor *cursor)
{
    struct text_cursor rest = *cursor;
    struct text_cursor name;
    return text_cursor_take_through(&rest, "MemoryMap,\"") || split_shell_row(&rest, &name);
}

/* A type without a name is printed as eight hexadecimal digits. */
static bool read_shell_type(struct text_cursor name, uint32_t *ret_type)
{
    uint64_t number;
    if (efi_names_type(name, ret_type))
        return true;
    if (!text_cursor_take_hex(&name, &number) || !text_cursor_at_end(&name) || number > UINT32_MAX)
        return false;
    *ret_type = (uint32_t)number;
    return true;
}

static const char *finish_shell(struct memory_map_descriptor row, uint64_t last,
                                struct map_line *ret_line)
{
    uint64_t page_count;
    const char *problem = pages_of_inclusive(row.physical_start, last, &page_count);
    if (problem != NULL)
        return problem;
    if (page_count != row.page_count)
        return "last address and number of pages contradict each other";
    *ret_line = (struct map_line){.row = row};
    return NULL;
}

/* "Available","1000","9FFFF","9F","F" behind the first quote. */
static const char *read_quoted_shell(struct text_cursor cursor, struct map_line *ret_line)
{
    struct text_cursor name;
    struct memory_map_descriptor row = {0};
    uint64_t last;
    if (!text_cursor_take_until(&cursor, '"', &name) || !read_shell_type(name, &row.type))
        return "the type has an unknown name";
    if (!text_cursor_take(&cursor, ",\"") || !text_cursor_take_hex(&cursor, &row.physical_start) ||
        !text_cursor_take(&cursor, "\",\"") || !text_cursor_take_hex(&cursor, &last) ||
        !text_cursor_take(&cursor, "\",\"") || !text_cursor_take_hex(&cursor, &row.page_count) ||
        !text_cursor_take(&cursor, "\",\"") || !text_cursor_take_hex(&cursor, &row.attribute))
        return "start, end, pages and attributes are not hexadecimal numbers of 64 bits";
    return finish_shell(row, last, ret_line);
}

const char *map_lines_read_shell(struct text_cursor cursor, struct map_line *ret_line)
{
    struct text_cursor quoted = cursor;
    struct text_cursor name;
    struct memory_map_descriptor row = {0};
    uint64_t last;
    if (text_cursor_take_through(&quoted, "MemoryMap,\""))
        return read_quoted_shell(quoted, ret_line);
    if (!split_shell_row(&cursor, &name))
        return "this is no row of the shell's memmap";
    if (!read_shell_type(name, &row.type))
        return "the type has an unknown name";
    if (!take_field(&cursor, true, &row.physical_start) || !text_cursor_take(&cursor, "-") ||
        !take_field(&cursor, true, &last))
        return "the range is not two hexadecimal numbers of 64 bits";
    if (!take_field(&cursor, true, &row.page_count) || !take_field(&cursor, true, &row.attribute))
        return "pages and attributes are not hexadecimal numbers of 64 bits";
    const char *problem = require_end(&cursor);
    return problem != NULL ? problem : finish_shell(row, last, ret_line);
}

bool map_lines_read_shell_sum(struct text_cursor cursor, uint32_t *ret_type,
                              uint64_t *ret_page_count)
{
    struct text_cursor name;
    if (!text_cursor_take_until(&cursor, ':', &name) || !efi_names_type(name, ret_type))
        return false;
    text_cursor_skip_blanks(&cursor);
    return text_cursor_take_grouped(&cursor, ret_page_count) &&
           text_cursor_take_through(&cursor, "Pages");
}
