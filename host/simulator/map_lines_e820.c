#include <string.h>

#include "shared/address.h"
#include "host/simulator/efi_names.h"
#include "host/simulator/map_lines.h"

/* In a list without a mark, addresses without 0x have at least this number of digits. */
#define ADDRESS_DIGITS_MIN 8
/* In the lists of Xen, and of Linux before 3.5, they have this number. */
#define LONG_ADDRESS_DIGITS_MIN 16

/* The characters between a range and its kind: a border of a cell, a quote, a parenthesis. */
#define MARKUP " \t|`*~_\"'(,;:"

/* --- A range ---------------------------------------------------------------------------------- */

/* The end of a range is printed in two ways: the last byte, which is odd, or the first byte behind
 * it, which is even. */
static uint64_t last_of_either(uint64_t end)
{
    return end % 2 == 0 ? end - 1 : end;
}

/* The text behind the bracket: 0x0-0x9ffff] in Linux, or 0000…, 0000…] in Xen. */
static bool take_bracketed_range(struct text_cursor *cursor, uint64_t *ret_first,
                                 uint64_t *ret_last)
{
    text_cursor_skip_any(cursor, " \t");
    if (!text_cursor_expect_hex(cursor, ret_first))
        return false;
    text_cursor_skip_any(cursor, " \t");
    if (!text_cursor_take(cursor, "-") && !text_cursor_take(cursor, ","))
        return false;
    text_cursor_skip_any(cursor, " \t");
    if (!text_cursor_expect_hex(cursor, ret_last))
        return false;
    text_cursor_skip_any(cursor, " \t");
    return text_cursor_take(cursor, "]");
}

/* In 0000… - 0000… the second address is the first byte behind the range. Without blanks it is a
 * list from a script. */
static bool take_open_range(struct text_cursor *cursor, uint64_t *ret_first, uint64_t *ret_last)
{
    uint64_t end;
    if (!text_cursor_expect_hex(cursor, ret_first))
        return false;
    const char *behind = cursor->at;
    text_cursor_skip_any(cursor, " \t");
    bool has_blanks = cursor->at > behind;
    if (!text_cursor_take(cursor, "-"))
        return false;
    text_cursor_skip_any(cursor, " \t");
    if (!text_cursor_expect_hex(cursor, &end))
        return false;
    *ret_last = has_blanks ? end - 1 : last_of_either(end);
    return true;
}

static const char *take_range(struct text_cursor *cursor, uint64_t *ret_first, uint64_t *ret_last)
{
    struct text_cursor bracket = *cursor;
    bool has_bracket = text_cursor_expect(cursor, "[mem") || text_cursor_take(cursor, "[");
    if (!has_bracket && text_cursor_at_end(cursor) && !text_cursor_at_end(&bracket))
        return "the range is not two hexadecimal numbers of 64 bits";
    bool found = has_bracket ? take_bracketed_range(cursor, ret_first, ret_last)
                             : take_open_range(cursor, ret_first, ret_last);
    return found ? NULL : "the range is not two hexadecimal numbers of 64 bits";
}

/* " 639 KB" or "1.9 GB" before the kind: some kernels print the size. */
static void skip_size(struct text_cursor *cursor)
{
    uint64_t number;
    struct text_cursor rest = *cursor;
    if (!text_cursor_take_decimal(&rest, &number))
        return;
    if (text_cursor_take(&rest, "."))
        (void)text_cursor_take_decimal(&rest, &number);
    text_cursor_skip_blanks(&rest);
    static const char *const UNITS[] = {"KB", "MB", "GB", "TB", "PB"};
    for (unsigned i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (text_cursor_expect(&rest, UNITS[i])) {
            *cursor = rest;
            text_cursor_skip_any(cursor, MARKUP);
            return;
        }
    }
    /* The line ends in or behind the number, so the unit is on the next line. */
    if (text_cursor_at_end(&rest))
        *cursor = rest;
}

static const char *take_kind(struct text_cursor *cursor, uint32_t *ret_type)
{
    text_cursor_skip_any(cursor, MARKUP);
    skip_size(cursor);
    return efi_names_take_e820_kind(cursor, ret_type) ? NULL : "the kind of memory is not known";
}

/* --- Linux and Xen ---------------------------------------------------------------------------- */

/* Return true if a range can begin here: a sentence about the list is not one of its rows. */
static bool is_at_range(struct text_cursor cursor)
{
    struct text_cursor word = cursor;
    uint64_t number;
    if (text_cursor_at_end(&cursor))
        return true;
    if (text_cursor_expect(&word, "[mem") || text_cursor_at_end(&word) ||
        text_cursor_take(&word, "[gap"))
        return true;
    word = cursor;
    if (text_cursor_take(&word, "["))
        text_cursor_skip_blanks(&word);
    return text_cursor_take_long_hex(&word, cursor, ADDRESS_DIGITS_MIN, &number);
}

/* Move behind the mark and its colon. The mark is a separate word. */
static bool take_mark(struct text_cursor *cursor, struct text_cursor line, const char *mark)
{
    struct text_cursor start = *cursor;
    if (!text_cursor_take_through(cursor, mark))
        return false;
    const char *word = cursor->at - strlen(mark);
    struct text_cursor before = {word - 1, start.end};
    if (mark[strlen(mark) - 1] == '-') {
        while (!text_cursor_at_word_end(cursor))
            cursor->at++;
    }
    return (word == line.at || text_cursor_at_word_end(&before)) && text_cursor_take(cursor, ":");
}

bool map_lines_find_marked_e820(struct text_cursor *cursor, const char *mark)
{
    struct text_cursor rest = *cursor;
    const char *before = NULL;
    while (rest.at != before) {
        before = rest.at;
        if (!take_mark(&rest, *cursor, mark))
            continue;
        struct text_cursor row = rest;
        text_cursor_skip_any(&row, MARKUP);
        if (is_at_range(row)) {
            *cursor = row;
            return true;
        }
    }
    return false;
}

/* "e820: remove [mem …] usable" is a later change of a row, and so is "e820 remove range: …
 * (usable)" of Linux before 3.5. A row has no word before its range. */
static bool has_word_before(struct text_cursor cursor, struct text_cursor line)
{
    static const char CHANGED[] = " range:";
    const size_t changed_bytes = sizeof(CHANGED) - 1;
    while (cursor.at > line.at && (cursor.at[-1] == ' ' || cursor.at[-1] == '\t'))
        cursor.at--;
    if ((size_t)(cursor.at - line.at) >= changed_bytes) {
        struct text_cursor mark = {cursor.at - changed_bytes, cursor.at};
        if (text_cursor_take(&mark, CHANGED))
            return true;
    }
    struct text_cursor before = {cursor.at - 1, cursor.end};
    return cursor.at > line.at && !text_cursor_at_word_end(&before);
}

/* Two long addresses, and a kind behind a parenthesis (Xen) or a colon (coreboot). The kind may be
 * unknown. */
static bool is_long_range_with_kind(struct text_cursor row, struct text_cursor line)
{
    uint64_t number;
    (void)text_cursor_take(&row, "[");
    if (!text_cursor_take_long_hex(&row, line, LONG_ADDRESS_DIGITS_MIN, &number))
        return false;
    text_cursor_skip_any(&row, " -,");
    if (!text_cursor_take_long_hex(&row, line, LONG_ADDRESS_DIGITS_MIN, &number))
        return false;
    text_cursor_skip_any(&row, "] \t");
    bool has_kind = text_cursor_take(&row, "(") || text_cursor_take(&row, ": ");
    return has_kind && !text_cursor_take_decimal(&row, &number);
}

static bool is_bare_row(struct text_cursor row, struct text_cursor line)
{
    uint64_t first, last;
    uint32_t type;
    struct text_cursor address = row;
    if (!text_cursor_take(&address, "[mem")) {
        (void)text_cursor_take(&address, "[");
        struct text_cursor prefix = address;
        if (text_cursor_take(&prefix, "0x") ||
            !text_cursor_take_long_hex(&address, line, LONG_ADDRESS_DIGITS_MIN, &first))
            return false;
    }
    if (has_word_before(row, line))
        return false;
    if (is_long_range_with_kind(row, line))
        return true;
    if (take_range(&row, &first, &last) != NULL)
        return false;
    return take_kind(&row, &type) == NULL || text_cursor_at_end(&row);
}

bool map_lines_find_bare_e820(struct text_cursor *cursor, const char *mark)
{
    (void)mark;
    struct text_cursor bracket = *cursor, number = *cursor, rest;
    while (text_cursor_take_through(&bracket, "[")) {
        rest = (struct text_cursor){bracket.at - 1, bracket.end};
        if (is_bare_row(rest, *cursor)) {
            *cursor = rest;
            return true;
        }
    }
    for (; text_cursor_next_number(&number, *cursor); number.at++) {
        if (is_bare_row(number, *cursor)) {
            *cursor = number;
            return true;
        }
    }
    return false;
}

const char *map_lines_read_e820(struct text_cursor *cursor, struct map_line *ret_line)
{
    uint64_t first, last;
    uint32_t type;
    text_cursor_skip_blanks(cursor);
    if (text_cursor_take(cursor, "[gap")) {
        *ret_line = (struct map_line){.is_ignored = true};
        return NULL;
    }
    const char *problem = take_range(cursor, &first, &last);
    if (problem == NULL)
        problem = take_kind(cursor, &type);
    return problem != NULL ? problem : map_lines_row_of_bytes(type, first, last, ret_line);
}

/* --- GRUB: base_addr = 0x0, length = 0x9fc00, available RAM ----------------------------------- */

bool map_lines_find_lsmmap(struct text_cursor *cursor, const char *mark)
{
    struct text_cursor rest = *cursor;
    while (text_cursor_take_through(&rest, mark)) {
        struct text_cursor row = rest;
        const char *word = rest.at - strlen(mark);
        struct text_cursor before = {word - 1, rest.end};
        text_cursor_skip_blanks(&row);
        if ((word == cursor->at || text_cursor_at_word_end(&before)) &&
            text_cursor_take(&row, "=")) {
            *cursor = rest;
            return true;
        }
    }
    return false;
}

/* base_addr = 0x0, length = 0x9fc00 */
static const char *take_base_and_length(struct text_cursor *cursor, uint64_t *ret_base,
                                        uint64_t *ret_size_bytes)
{
    text_cursor_skip_any(cursor, " =");
    if (!text_cursor_expect_hex(cursor, ret_base))
        return "base_addr is not a hexadecimal number of 64 bits";
    text_cursor_skip_any(cursor, " ,:;");
    if (!text_cursor_expect(cursor, "length"))
        return "no length follows base_addr";
    text_cursor_skip_any(cursor, " =");
    if (!text_cursor_expect_hex(cursor, ret_size_bytes))
        return "length is not a hexadecimal number of 64 bits";
    if (*ret_size_bytes > UINT64_MAX - *ret_base)
        return "the range ends before it begins";
    return NULL;
}

/* "available RAM", "reserved RAM", or these behind "type = 0x1, ". */
static const char *take_lsmmap_kind(struct text_cursor *cursor, uint32_t *ret_type)
{
    struct text_cursor words = *cursor;
    if (text_cursor_take(&words, "type")) {
        uint64_t number;
        text_cursor_skip_any(&words, " =:");
        if (text_cursor_at_end(&words) || !text_cursor_take_number(&words, &number))
            *cursor = words;
    }
    const char *problem = take_kind(cursor, ret_type);
    if (problem != NULL && text_cursor_take(cursor, "available")) {
        *ret_type = EFI_TYPE_CONVENTIONAL;
        problem = NULL;
    }
    return problem;
}

const char *map_lines_read_lsmmap(struct text_cursor *cursor, struct map_line *ret_line)
{
    uint64_t base, size_bytes;
    uint32_t type;
    const char *problem = take_base_and_length(cursor, &base, &size_bytes);
    if (problem != NULL)
        return problem;
    text_cursor_skip_any(cursor, MARKUP);
    problem = take_lsmmap_kind(cursor, &type);
    return problem != NULL ? problem
                           : map_lines_row_of_bytes(type, base, base + size_bytes - 1, ret_line);
}

/* --- /proc/iomem: 00001000-0009ffff : System RAM ---------------------------------------------- */

bool map_lines_find_iomem(struct text_cursor *cursor, const char *mark)
{
    (void)mark;
    struct text_cursor rest = *cursor;
    for (; text_cursor_next_number(&rest, *cursor); rest.at++) {
        struct text_cursor row = rest;
        struct text_cursor prefix = rest;
        uint64_t number;
        if (!text_cursor_take(&prefix, "0x") &&
            text_cursor_take_long_hex(&row, *cursor, ADDRESS_DIGITS_MIN, &number) &&
            text_cursor_take(&row, "-") &&
            text_cursor_take_long_hex(&row, row, ADDRESS_DIGITS_MIN, &number) &&
            text_cursor_take(&row, " : ")) {
            *cursor = rest;
            return true;
        }
    }
    return false;
}

/* A device's name may begin like a kind ("System RAM (kmem)"), so the whole name must be a kind. */
static bool is_whole_name(struct text_cursor cursor)
{
    text_cursor_skip_any(&cursor, " \t");
    return text_cursor_at_end(&cursor) || (*cursor.at != '(' && text_cursor_at_word_end(&cursor));
}

const char *map_lines_read_iomem(struct text_cursor *cursor, struct map_line *ret_line)
{
    uint64_t first, last;
    uint32_t type;
    if (!text_cursor_expect_hex(cursor, &first) || !text_cursor_take(cursor, "-") ||
        !text_cursor_expect_hex(cursor, &last))
        return "the range is not two hexadecimal numbers of 64 bits";
    if (first == 0 && last == 0)
        return "the addresses are 0, because Linux shows them only to root: use sudo cat "
               "/proc/iomem";
    text_cursor_skip_any(cursor, " :");
    struct text_cursor name = *cursor;
    *ret_line = (struct map_line){.is_ignored = true};
    if (!efi_names_take_e820_kind(&name, &type) || !is_whole_name(name))
        return NULL;
    *cursor = name;
    return map_lines_row_of_bytes(type, first, last, ret_line);
}
