#include "shared/address.h"
#include "shared/handoff.h"
#include "shared/region.h"
#include "host/simulator/efi_names.h"
#include "host/simulator/map_lines.h"

/* More pages than any address space has. memory_map.c drops the row, since it wraps. */
#define PAGES_OF_INVALID_ROW UINT64_MAX

/* Store the row and its bytes; no bytes if it wraps. */
static const char *finish(struct map_line *line, struct map_line *ret_line)
{
    uint64_t first = line->row.physical_start;
    bool wraps = line->row.page_count > (UINT64_MAX - first) / PAGE_SIZE_BYTES;
    line->first = first;
    line->last = wraps ? first - 1 : first + line->row.page_count * PAGE_SIZE_BYTES - 1;
    *ret_line = *line;
    return NULL;
}

/* --- Linux: efi: mem00: … --------------------------------------------------------------------- */

/* Other lines with the same prefix are not rows ("efi: Remove mem63: …"). */
static bool is_at_numbered(struct text_cursor row, bool is_behind_prefix)
{
    uint64_t number;
    if (!text_cursor_take(&row, "mem") || !text_cursor_take_decimal(&row, &number) ||
        !text_cursor_take(&row, ":"))
        return false;
    text_cursor_skip_blanks(&row);
    return is_behind_prefix || text_cursor_take(&row, "[") || text_cursor_expect(&row, "type=") ||
           text_cursor_at_end(&row);
}

static bool is_at_range_first(struct text_cursor row)
{
    uint64_t number;
    if (!text_cursor_take(&row, "0x") || !text_cursor_take_hex(&row, &number) ||
        !text_cursor_take(&row, "-0x") || !text_cursor_take_hex(&row, &number))
        return false;
    text_cursor_skip_blanks(&row);
    return text_cursor_take(&row, "[");
}

bool map_lines_find_linux(struct text_cursor *cursor, const char *mark)
{
    struct text_cursor rest = *cursor;
    while (text_cursor_take_through(&rest, mark)) {
        struct text_cursor row = rest;
        text_cursor_skip_blanks(&row);
        if (is_at_numbered(row, true) || is_at_range_first(row)) {
            *cursor = row;
            return true;
        }
    }
    rest = *cursor;
    while (text_cursor_take_through(&rest, "mem")) {
        struct text_cursor row = {rest.at - 3, rest.end};
        struct text_cursor before = {row.at - 1, rest.end};
        if ((row.at == cursor->at || text_cursor_at_word_end(&before)) &&
            is_at_numbered(row, false)) {
            *cursor = row;
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
    if (!text_cursor_expect(cursor, "attr=") || !text_cursor_expect_hex(cursor, &row->attribute))
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
    if (!text_cursor_take_until(cursor, ']', &brackets)) {
        cursor->at = cursor->end;
        return "the bracket behind type and attributes is missing";
    }
    if (!text_cursor_take_until(&brackets, '|', &name))
        return "type and attributes are not separated by |";
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

/* Read the text behind the bracket. The end of such a row may have more than 64 bits. */
static bool is_called_invalid(struct text_cursor cursor)
{
    struct text_cursor end;
    if (!text_cursor_take_until(&cursor, ']', &end))
        return false;
    text_cursor_skip_blanks(&cursor);
    return text_cursor_take(&cursor, "(invalid)");
}

/* 0x0-0x9f000) has the first address behind the range, and 0x0-0x9efff] has the last one. */
static const char *take_range(struct text_cursor *cursor, struct memory_map_descriptor *row)
{
    uint64_t start, end;
    if (!text_cursor_expect_hex(cursor, &start) || !text_cursor_take(cursor, "-"))
        return "the range does not begin with a hexadecimal number of 64 bits";
    row->physical_start = start;
    if (is_called_invalid(*cursor)) {
        row->page_count = PAGES_OF_INVALID_ROW;
        return NULL;
    }
    if (!text_cursor_expect_hex(cursor, &end))
        return "the range does not end with a hexadecimal number of 64 bits";
    if (text_cursor_take(cursor, ")"))
        return map_lines_pages_of(start, end - 1, &row->page_count);
    if (text_cursor_take(cursor, "]"))
        return map_lines_pages_of(start, end, &row->page_count);
    return "the range does not end with a bracket";
}

static const char *take_range_behind_type(struct text_cursor *cursor,
                                          struct memory_map_descriptor *row)
{
    text_cursor_skip_blanks(cursor);
    if (!text_cursor_expect(cursor, "range=["))
        return "the range is missing";
    return take_range(cursor, row);
}

/* mem00: … */
static const char *read_numbered(struct text_cursor *cursor, struct map_line *line)
{
    line->has_number = true;
    if (!text_cursor_expect(cursor, "mem") || !text_cursor_take_decimal(cursor, &line->number) ||
        !text_cursor_take(cursor, ":"))
        return "the row has no number";
    text_cursor_skip_blanks(cursor);
    const char *problem = "neither type=… nor [type|…] follows the row's number";
    if (text_cursor_take(cursor, "["))
        problem = take_named_type(cursor, &line->row);
    else if (text_cursor_expect(cursor, "type="))
        problem = take_numeric_type(cursor, &line->row);
    return problem != NULL ? problem : take_range_behind_type(cursor, &line->row);
}

/* 0x000040000000-0x00007fffffff [Conventional Memory|…]: Linux on ARM and RISC-V. */
static const char *read_range_first(struct text_cursor *cursor, struct map_line *line)
{
    uint64_t last;
    if (!text_cursor_expect_hex(cursor, &line->row.physical_start) ||
        !text_cursor_take(cursor, "-") || !text_cursor_expect_hex(cursor, &last))
        return "the range is not two hexadecimal numbers of 64 bits";
    text_cursor_skip_blanks(cursor);
    if (!text_cursor_take(cursor, "["))
        return "no [type|…] follows the range";
    const char *problem = take_named_type(cursor, &line->row);
    return problem != NULL
               ? problem
               : map_lines_pages_of(line->row.physical_start, last, &line->row.page_count);
}

const char *map_lines_read_linux(struct text_cursor *cursor, struct map_line *ret_line)
{
    struct map_line line = {0};
    bool is_range_first = cursor->at < cursor->end && *cursor->at == '0';
    const char *problem =
        is_range_first ? read_range_first(cursor, &line) : read_numbered(cursor, &line);
    return problem != NULL ? problem : finish(&line, ret_line);
}

/* --- Xen: 0000000000000-0000000007fff type=3 attr=000000000000000f ---------------------------- */

/* An address without 0x has at least this number of digits. */
#define ADDRESS_DIGITS_MIN 8

bool map_lines_find_xen(struct text_cursor *cursor, const char *mark)
{
    struct text_cursor rest = *cursor;
    uint64_t number;
    for (; text_cursor_next_number(&rest, *cursor); rest.at++) {
        struct text_cursor row = rest;
        if (text_cursor_take_long_hex(&row, *cursor, ADDRESS_DIGITS_MIN, &number) &&
            text_cursor_take(&row, "-") &&
            text_cursor_take_long_hex(&row, row, ADDRESS_DIGITS_MIN, &number) &&
            text_cursor_take(&row, mark)) {
            *cursor = rest;
            return true;
        }
    }
    return false;
}

const char *map_lines_read_xen(struct text_cursor *cursor, struct map_line *ret_line)
{
    struct map_line line = {0};
    uint64_t last;
    if (!text_cursor_take_hex(cursor, &line.row.physical_start) || !text_cursor_take(cursor, "-") ||
        !text_cursor_take_hex(cursor, &last))
        return "the range is not two hexadecimal numbers of 64 bits";
    text_cursor_skip_blanks(cursor);
    if (!text_cursor_expect(cursor, "type="))
        return "the type is missing";
    const char *problem = take_numeric_type(cursor, &line.row);
    if (problem == NULL)
        problem = map_lines_pages_of(line.row.physical_start, last, &line.row.page_count);
    return problem != NULL ? problem : finish(&line, ret_line);
}

/* --- This kernel: [region] … ------------------------------------------------------------------ */

bool map_lines_find_kernel_log(struct text_cursor *cursor, const char *mark)
{
    struct text_cursor rest = *cursor;
    while (text_cursor_take_through(&rest, mark)) {
        struct text_cursor row = rest;
        text_cursor_skip_blanks(&row);
        if (row.at > rest.at && text_cursor_take(&row, "base=")) {
            *cursor = rest;
            return true;
        }
    }
    return false;
}

/* Read the number behind `key`, anywhere on the line, since later versions may add keys. */
static bool find_key(struct text_cursor cursor, const char *key, uint64_t *ret_number)
{
    return text_cursor_take_through(&cursor, key) && text_cursor_take_number(&cursor, ret_number);
}

/* A type of a later kernel, without a name here. Its facts and reuse decide. */
#define TYPE_OF_LATER_KERNEL UINT32_MAX

/* Return false if there is no type, or if the name is unknown and the line has no facts. */
static bool find_type(struct text_cursor cursor, uint32_t *ret_type)
{
    struct text_cursor name = cursor, facts = cursor;
    if (!text_cursor_take_through(&cursor, " type="))
        return false;
    if (!text_cursor_take_until(&cursor, ' ', &name))
        name = cursor;
    for (uint32_t type = HANDOFF_REGION_USABLE; type <= HANDOFF_REGION_FRAMEBUFFER; type++) {
        if (text_cursor_is(name, region_type_name(type))) {
            *ret_type = type;
            return true;
        }
    }
    *ret_type = TYPE_OF_LATER_KERNEL;
    return text_cursor_take_through(&facts, " facts=");
}

/* Memory that the loader takes from free memory. On a replay it is free again. A kernel of handoff
 * 1.0 writes no facts, but its types are known. */
static const char *read_placement(struct text_cursor keys, uint32_t type, bool *ret_placed)
{
    struct text_cursor facts_key = keys;
    uint64_t facts, reuse;
    if (!text_cursor_take_through(&facts_key, " facts=")) {
        *ret_placed = (region_type_facts(type) & HANDOFF_FACT_LOADER_PLACED) != 0;
        return NULL;
    }
    if (!find_key(keys, " facts=", &facts) || facts > UINT32_MAX)
        return "facts= is not a number of 32 bits";
    if (!find_key(keys, " reuse=", &reuse) || reuse > UINT32_MAX)
        return "reuse= is missing or not a number of 32 bits";
    *ret_placed = (facts & HANDOFF_FACT_LOADER_PLACED) != 0;
    return NULL;
}

/* A key may be missing because the line was wrapped before it: the whole line was searched. */
const char *map_lines_read_kernel_log(struct text_cursor *cursor, struct map_line *ret_line)
{
    struct map_line line = {0};
    uint64_t size_bytes, efi_type;
    uint32_t type;
    struct text_cursor keys = *cursor;
    cursor->at = cursor->end;
    if (!find_key(keys, "base=", &line.row.physical_start))
        return "base= is missing or not a number of 64 bits";
    if (!find_key(keys, "size=", &size_bytes) || size_bytes % PAGE_SIZE_BYTES != 0)
        return "size= is missing or not a whole number of pages";
    if (!find_type(keys, &type))
        return "type= is missing, or is not a type of this kernel";
    if (!find_key(keys, "efi_type=", &efi_type) || efi_type > UINT32_MAX)
        return "efi_type= is missing or not a number of 32 bits";
    if (!find_key(keys, "attributes=", &line.row.attribute))
        return "attributes= is missing or not a number of 64 bits";
    bool placed;
    const char *problem = read_placement(keys, type, &placed);
    if (problem != NULL)
        return problem;
    line.row.page_count = size_bytes / PAGE_SIZE_BYTES;
    line.row.type = placed ? EFI_TYPE_CONVENTIONAL : (uint32_t)efi_type;
    line.is_framebuffer = type == HANDOFF_REGION_FRAMEBUFFER;
    return finish(&line, ret_line);
}

/* --- The UEFI shell's memmap, GRUB's lsefimmap ------------------------------------------------ */

/* Each address of a range in such a table has 16 digits. Fewer digits mean another kind of line. */
#define TABLE_DIGITS_MIN ADDRESS_DIGITS_MIN
/* The characters between columns: blanks, or the borders of a table's cells in Markdown. */
#define SEPARATORS " \t|"
/* GRUB's word for a type without a name. */
#define UNNAMED        "Unk "
#define NAME_BYTES_MAX 32

static bool is_one_of(char character, const char *characters)
{
    for (; *characters != '\0'; characters++) {
        if (*characters == character)
            return true;
    }
    return false;
}

static bool is_of_name(const char *character, const char *end)
{
    struct text_cursor cursor = {character, end};
    return *character == '-' || !text_cursor_at_word_end(&cursor);
}

/* Return the word before `at`. GRUB's "Unk 0f" has two words. */
static struct text_cursor name_before(struct text_cursor line, const char *at)
{
    while (at > line.at && is_one_of(at[-1], SEPARATORS))
        at--;
    struct text_cursor name = {at, at};
    while (name.at > line.at && is_of_name(name.at - 1, name.end) &&
           name.end - name.at < NAME_BYTES_MAX)
        name.at--;
    struct text_cursor word = {name.at - 4, name.end};
    if (name.at - line.at >= 4 && text_cursor_take(&word, UNNAMED) && word.at == name.at)
        name.at -= 4;
    return name;
}

/* A type without a name is printed as hexadecimal digits. */
static bool take_table_type(struct text_cursor name, uint32_t *ret_type)
{
    uint64_t number;
    if (efi_names_type(name, ret_type))
        return true;
    (void)text_cursor_take(&name, UNNAMED);
    if (!text_cursor_take_hex(&name, &number) || !text_cursor_at_end(&name) || number > UINT32_MAX)
        return false;
    *ret_type = (uint32_t)number;
    return true;
}

/* A row has a name, a range and a number of pages. If the name is unknown, the numbers must be
 * long: a line of another kind is not a row. */
static bool is_table_row(struct text_cursor line, struct text_cursor range)
{
    uint64_t number;
    uint32_t type;
    const char *start = range.at;
    if (!text_cursor_take_long_hex(&range, line, TABLE_DIGITS_MIN, &number) ||
        !text_cursor_take(&range, "-") ||
        !text_cursor_take_long_hex(&range, range, TABLE_DIGITS_MIN, &number))
        return false;
    struct text_cursor name = name_before(line, start);
    if (name.at == name.end || name.end == start)
        return false;
    text_cursor_skip_any(&range, SEPARATORS);
    if (efi_names_type(name, &type) || text_cursor_take(&name, UNNAMED))
        return true;
    return text_cursor_take_long_hex(&range, line, TABLE_DIGITS_MIN, &number);
}

static bool find_range(struct text_cursor line, struct text_cursor *ret_range)
{
    struct text_cursor rest = line;
    for (; text_cursor_next_number(&rest, line); rest.at++) {
        if (is_table_row(line, rest)) {
            *ret_range = rest;
            return true;
        }
    }
    return false;
}

bool map_lines_find_table(struct text_cursor *cursor, const char *mark)
{
    struct text_cursor quoted = *cursor;
    struct text_cursor range;
    if (text_cursor_take_through(&quoted, mark)) {
        *cursor = quoted;
        return true;
    }
    if (!find_range(*cursor, &range))
        return false;
    cursor->at = name_before(*cursor, range.at).at;
    return true;
}

static const char *finish_table(struct map_line *line, uint64_t last, struct map_line *ret_line)
{
    uint64_t page_count;
    const char *problem = map_lines_pages_of(line->row.physical_start, last, &page_count);
    if (problem != NULL)
        return problem;
    if (page_count != line->row.page_count)
        return "last address and number of pages contradict each other";
    return finish(line, ret_line);
}

static bool take_quoted_number(struct text_cursor *cursor, uint64_t *ret_number)
{
    return text_cursor_expect(cursor, ",\"") && text_cursor_expect_hex(cursor, ret_number) &&
           text_cursor_expect(cursor, "\"");
}

/* "Available","1000","9FFFF","9F","F" behind the first quote. */
static const char *read_quoted(struct text_cursor *cursor, struct map_line *ret_line)
{
    struct text_cursor name;
    struct map_line line = {0};
    uint64_t last;
    if (!text_cursor_take_until(cursor, '"', &name) || !take_table_type(name, &line.row.type))
        return "the type has an unknown name";
    if (!take_quoted_number(cursor, &line.row.physical_start) ||
        !take_quoted_number(cursor, &last) || !take_quoted_number(cursor, &line.row.page_count) ||
        !take_quoted_number(cursor, &line.row.attribute))
        return "start, end, pages and attributes are not hexadecimal numbers of 64 bits";
    return finish_table(&line, last, ret_line);
}

/* GRUB has the size before the attributes: 636KiB. */
static bool take_size(struct text_cursor *cursor)
{
    struct text_cursor rest = *cursor;
    uint64_t number;
    text_cursor_skip_any(&rest, SEPARATORS);
    if (!text_cursor_take_decimal(&rest, &number) || text_cursor_at_end(&rest))
        return false;
    text_cursor_skip_blanks(&rest);
    static const char *const UNITS[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "B"};
    for (unsigned i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (text_cursor_take(&rest, UNITS[i]) && text_cursor_at_word_end(&rest)) {
            *cursor = rest;
            return true;
        }
    }
    return false;
}

/* Take the next word, if it is an attribute. */
static bool take_attribute_word(struct text_cursor *cursor, uint64_t *ret_attribute)
{
    struct text_cursor rest = *cursor;
    text_cursor_skip_any(&rest, SEPARATORS);
    struct text_cursor word = rest;
    while (!text_cursor_at_word_end(&rest))
        rest.at++;
    word.end = rest.at;
    if (word.at == word.end || !efi_names_attribute(word, ret_attribute))
        return false;
    *cursor = rest;
    return true;
}

bool map_lines_is_attributes(struct text_cursor cursor)
{
    uint64_t attribute;
    text_cursor_skip_any(&cursor, MAP_LINES_QUOTE_MARKS);
    if (!take_attribute_word(&cursor, &attribute))
        return false;
    while (take_attribute_word(&cursor, &attribute)) {
    }
    text_cursor_skip_any(&cursor, MAP_LINES_QUOTE_MARKS);
    return text_cursor_at_end(&cursor);
}

bool map_lines_is_digits(struct text_cursor cursor)
{
    struct text_cursor line = cursor;
    uint64_t number;
    text_cursor_skip_any(&cursor, MAP_LINES_QUOTE_MARKS);
    if (!text_cursor_take_long_hex(&cursor, line, 1, &number))
        return false;
    text_cursor_skip_any(&cursor, MAP_LINES_QUOTE_MARKS);
    return text_cursor_at_end(&cursor);
}

/* UC WC WT WB as words, or 000000000000000F. The shell prints as many digits for the attributes as
 * for the pages. So a line with fewer digits was cut. A person may write a single digit. */
static const char *take_attributes(struct text_cursor *cursor, ptrdiff_t digit_count,
                                   struct map_line *line)
{
    uint64_t attribute;
    if (take_size(cursor)) {
        line->ends_in_words = true;
        while (take_attribute_word(cursor, &attribute))
            line->row.attribute |= attribute;
        return NULL;
    }
    text_cursor_skip_any(cursor, SEPARATORS);
    const char *digits = cursor->at;
    if (!text_cursor_expect_hex(cursor, &line->row.attribute) || !text_cursor_at_word_end(cursor))
        return "pages and attributes are not hexadecimal numbers of 64 bits";
    ptrdiff_t left = cursor->at - digits;
    line->ends_in_digit = left == 1 && digit_count > 1;
    bool is_cut = text_cursor_at_end(cursor) && left > 1 && left < digit_count &&
                  (*digits == '0' || *digits == '8');
    return is_cut ? "digits of the attributes are missing" : NULL;
}

const char *map_lines_read_table(struct text_cursor *cursor, struct map_line *ret_line)
{
    struct map_line line = {0};
    struct text_cursor range;
    uint64_t last;
    if (!find_range(*cursor, &range))
        return read_quoted(cursor, ret_line);
    if (!take_table_type(name_before(*cursor, range.at), &line.row.type))
        return "the type has an unknown name";
    cursor->at = range.at;
    if (!text_cursor_expect_hex(cursor, &line.row.physical_start) ||
        !text_cursor_take(cursor, "-") || !text_cursor_expect_hex(cursor, &last))
        return "the range is not two hexadecimal numbers of 64 bits";
    text_cursor_skip_any(cursor, SEPARATORS);
    const char *digits = cursor->at;
    if (!text_cursor_expect_hex(cursor, &line.row.page_count))
        return "pages and attributes are not hexadecimal numbers of 64 bits";
    const char *problem = take_attributes(cursor, cursor->at - digits, &line);
    return problem != NULL ? problem : finish_table(&line, last, ret_line);
}

bool map_lines_read_sum(struct text_cursor cursor, uint32_t *ret_type, uint64_t *ret_page_count)
{
    struct text_cursor name;
    text_cursor_skip_any(&cursor, MAP_LINES_QUOTE_MARKS);
    if (!text_cursor_take_until(&cursor, ':', &name) || !efi_names_type(name, ret_type))
        return false;
    text_cursor_skip_blanks(&cursor);
    return text_cursor_take_grouped(&cursor, ret_page_count) &&
           text_cursor_take_through(&cursor, "Pages");
}
