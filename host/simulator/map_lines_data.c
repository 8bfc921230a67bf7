#include "shared/address.h"
#include "host/simulator/efi_names.h"
#include "host/simulator/map_lines.h"

const char *map_lines_pages_of(uint64_t first, uint64_t last, uint64_t *ret_page_count)
{
    if (last + 1 == first) {
        *ret_page_count = 0;
        return NULL;
    }
    if (last < first)
        return "the range ends before it begins";
    if ((last - first) % PAGE_SIZE_BYTES != PAGE_MASK)
        return "the range is not a whole number of pages";
    *ret_page_count = (last - first) / PAGE_SIZE_BYTES + 1;
    return NULL;
}

const char *map_lines_row_of_bytes(uint32_t type, uint64_t first, uint64_t last,
                                   struct map_line *ret_line)
{
    if (last + 1 != first && last < first)
        return "the range ends before it begins";
    uint64_t first_page = first / PAGE_SIZE_BYTES;
    uint64_t end_page = last / PAGE_SIZE_BYTES + 1;
    if (last + 1 == first) {
        end_page = first_page;
    } else if (type == EFI_TYPE_CONVENTIONAL) {
        first_page += page_is_aligned(first) ? 0 : 1;
        end_page -= (last & PAGE_MASK) == PAGE_MASK ? 0 : 1;
    }
    *ret_line = (struct map_line){
        .row = {.type = type,
                .physical_start = first_page * PAGE_SIZE_BYTES,
                .page_count = end_page > first_page ? end_page - first_page : 0,
                .attribute = EFI_ATTRIBUTES_OF_RAM},
        .first = first,
        .last = last,
    };
    return NULL;
}

/* The characters between fields: blanks, or the borders of cells. */
#define SEPARATORS " \t|,;"

/* A comment or characters of markup may follow a data row. */
static const char *require_end(struct text_cursor *cursor)
{
    text_cursor_skip_any(cursor, SEPARATORS "`\"'*_~)]}<\\");
    if (text_cursor_at_end(cursor))
        return NULL;
    if (*cursor->at == '#') {
        cursor->at = cursor->end;
        return NULL;
    }
    return "the line has more text than a row";
}

static bool take_field(struct text_cursor *cursor, bool hexadecimal, uint64_t *ret_number)
{
    text_cursor_skip_any(cursor, SEPARATORS);
    return (hexadecimal ? text_cursor_take_hex(cursor, ret_number)
                        : text_cursor_take_number(cursor, ret_number)) &&
           text_cursor_at_word_end(cursor);
}

static const char *read_efi_row(struct text_cursor *cursor, struct map_line *ret_line)
{
    uint64_t type, base, page_count, attribute;
    if (!take_field(cursor, false, &type) || type > UINT32_MAX)
        return "the type is not a number of 32 bits";
    if (!take_field(cursor, true, &base))
        return "the base is not a hexadecimal number of 64 bits";
    if (!take_field(cursor, false, &page_count))
        return "the number of pages is not a number of 64 bits";
    if (!take_field(cursor, true, &attribute))
        return "the attributes are not a hexadecimal number of 64 bits";
    *ret_line = (struct map_line){.row = {.type = (uint32_t)type,
                                          .physical_start = base,
                                          .page_count = page_count,
                                          .attribute = attribute}};
    return require_end(cursor);
}

/* --- Kind, first and last byte ---------------------------------------------------------------- */

/* The short words of the data files, and the long words of other programs. */
static bool take_kind(struct text_cursor *cursor, uint32_t *ret_type)
{
    struct text_cursor rest = *cursor;
    if (efi_names_take_e820_kind(&rest, ret_type)) {
        *cursor = rest;
        return true;
    }
    if (!text_cursor_take(cursor, "acpi") || !text_cursor_at_word_end(cursor))
        return false;
    *ret_type = EFI_TYPE_ACPI_RECLAIM;
    return true;
}

static bool take_two_numbers(struct text_cursor *cursor, uint64_t *ret_first, uint64_t *ret_last)
{
    if (!take_field(cursor, true, ret_first))
        return false;
    text_cursor_skip_any(cursor, SEPARATORS "-");
    return take_field(cursor, true, ret_last);
}

/* usable 0x0 0x9ffff */
static const char *read_kind_first(struct text_cursor *cursor, struct map_line *ret_line)
{
    uint64_t first, last;
    uint32_t type;
    if (!take_kind(cursor, &type))
        return "this is not a row of a memory map in any known form";
    text_cursor_skip_any(cursor, SEPARATORS ":=[(");
    if (!take_two_numbers(cursor, &first, &last))
        return "first or last address is not a hexadecimal number of 64 bits";
    const char *problem = require_end(cursor);
    return problem != NULL ? problem : map_lines_row_of_bytes(type, first, last, ret_line);
}

/* 0x0 0x9ffff usable */
static bool is_kind_last(struct text_cursor cursor)
{
    uint64_t first, last;
    uint32_t type;
    text_cursor_skip_any(&cursor, "[(");
    if (!take_two_numbers(&cursor, &first, &last))
        return false;
    text_cursor_skip_any(&cursor, SEPARATORS ":=])(");
    return take_kind(&cursor, &type);
}

static const char *read_kind_last(struct text_cursor *cursor, struct map_line *ret_line)
{
    uint64_t first = 0, last = 0;
    uint32_t type = 0;
    text_cursor_skip_any(cursor, "[(");
    (void)take_two_numbers(cursor, &first, &last);
    text_cursor_skip_any(cursor, SEPARATORS ":=])(");
    (void)take_kind(cursor, &type);
    const char *problem = require_end(cursor);
    return problem != NULL ? problem : map_lines_row_of_bytes(type, first, last, ret_line);
}

/* "12: " before a row: the count of a script's loop. */
static void skip_counter(struct text_cursor *cursor)
{
    struct text_cursor rest = *cursor;
    uint64_t number;
    if (text_cursor_take_decimal(&rest, &number) && text_cursor_take(&rest, ": "))
        *cursor = rest;
}

static bool is_at_digit(const struct text_cursor *cursor)
{
    return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

const char *map_lines_read_data(struct text_cursor *cursor, struct map_line *ret_line)
{
    text_cursor_skip_any(cursor, MAP_LINES_QUOTE_MARKS "-");
    skip_counter(cursor);
    text_cursor_skip_blanks(cursor);
    if (is_kind_last(*cursor))
        return read_kind_last(cursor, ret_line);
    if (is_at_digit(cursor))
        return read_efi_row(cursor, ret_line);
    return read_kind_first(cursor, ret_line);
}

bool map_lines_looks_like_data(struct text_cursor cursor)
{
    uint64_t number;
    uint32_t type;
    text_cursor_skip_any(&cursor, MAP_LINES_QUOTE_MARKS "-");
    skip_counter(&cursor);
    text_cursor_skip_blanks(&cursor);
    if (is_at_digit(&cursor) && !take_field(&cursor, false, &number))
        return false;
    bool has_kind = take_kind(&cursor, &type);
    text_cursor_skip_any(&cursor, SEPARATORS);
    return has_kind ? is_at_digit(&cursor) : text_cursor_take(&cursor, "0x");
}
