#include "kernel/core/line_table.h"

#include "shared/memory.h"

/* The orders of the codes: scripts/kernel-lines.py has the same. */
#define ADDRESS_ORDER  3
#define POSITION_ORDER 0
#define FILE_ORDER     7
#define LINE_ORDER     1
/* No number of a table needs more bits. */
#define CODE_LENGTH_LIMIT_BITS 32

struct header {
    uint32_t size_bytes;
    uint32_t unit_count;
    uint32_t rows_size_bytes;
    uint32_t file_count;
};

struct unit {
    uint32_t start_bytes;
    uint32_t rows_offset_bytes;
};

/* --- Bits ------------------------------------------------------------------------------------- */

struct bits {
    const uint8_t *bytes;
    uint64_t position;
    uint64_t end; /* both are numbers of bits */
};

static bool take_bit(struct bits *bits, unsigned *ret_bit)
{
    if (bits->position == bits->end)
        return false;
    *ret_bit = bits->bytes[bits->position / 8] >> (7 - bits->position % 8) & 1u;
    bits->position++;
    return true;
}

/* Take one exponential Golomb code. Return false at the end, and for a code that is too long. */
static bool take_number(struct bits *bits, unsigned order, uint64_t *ret_number)
{
    unsigned bit = 0;
    unsigned further = order; /* bits behind the first 1 */
    while (take_bit(bits, &bit) && bit == 0)
        further++;
    if (bit == 0 || further > CODE_LENGTH_LIMIT_BITS)
        return false;
    uint64_t number = 1;
    for (; further > 0; further--) {
        if (!take_bit(bits, &bit))
            return false;
        number = number << 1 | bit;
    }
    *ret_number = number - (UINT64_C(1) << order);
    return true;
}

/* --- Rows ------------------------------------------------------------------------------------- */

struct row {
    uint64_t file;
    uint64_t line; /* modulo 2^64, so that a damaged table cannot overflow it */
};

struct unit_state {
    struct bits bits;
    uint64_t address_bytes;
    struct row recent[LINE_TABLE_FILE_LIMIT]; /* the last line of each file, the newest first */
    size_t recent_count;                      /* the others are not written yet */
};

/* Move the file of the next row to the front of the list. */
static bool take_file(struct unit_state *state)
{
    uint64_t position;
    struct row row = {0};
    if (!take_number(&state->bits, POSITION_ORDER, &position) || position > state->recent_count ||
        position == LINE_TABLE_FILE_LIMIT)
        return false;
    if (position < state->recent_count)
        row = state->recent[position];
    else if (take_number(&state->bits, FILE_ORDER, &row.file))
        state->recent_count++;
    else
        return false;
    memmove(state->recent + 1, state->recent, position * sizeof(row));
    state->recent[0] = row;
    return true;
}

static bool take_row(struct unit_state *state)
{
    uint64_t distance_bytes;
    uint64_t code;
    if (!take_number(&state->bits, ADDRESS_ORDER, &distance_bytes) || !take_file(state) ||
        !take_number(&state->bits, LINE_ORDER, &code))
        return false;
    state->address_bytes += distance_bytes;
    state->recent[0].line += code % 2 == 0 ? code / 2 : 0 - (code + 1) / 2;
    return true;
}

/* Find the last row at or before the address. */
static bool find_row(struct unit_state *state, uint64_t offset_bytes, struct row *ret_row)
{
    bool is_found = false;
    while (take_row(state) && state->address_bytes <= offset_bytes) {
        *ret_row = state->recent[0];
        is_found = true;
    }
    return is_found;
}

/* --- Names ------------------------------------------------------------------------------------ */

struct names {
    const char *next;
    const char *end;
};

/* Take a text with its NUL. */
static bool take_text(struct names *names, const char **ret_text)
{
    const char *text = names->next;
    while (names->next != names->end) {
        if (*names->next++ == '\0') {
            *ret_text = text;
            return true;
        }
    }
    return false;
}

static bool take_byte(struct names *names, unsigned *ret_byte)
{
    if (names->next == names->end)
        return false;
    *ret_byte = (unsigned char)*names->next++;
    return true;
}

/* Find the text of a directory. Behind the last directory, *names is at the first file. */
static bool skip_directories(struct names *names, unsigned wanted, const char **ret_directory)
{
    unsigned count;
    const char *text;
    bool is_found = false;
    if (!take_byte(names, &count))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!take_text(names, &text))
            return false;
        if (i == wanted) {
            *ret_directory = text;
            is_found = true;
        }
    }
    return is_found;
}

static bool find_name(struct names names, uint64_t file, struct source_line *ret_line)
{
    struct names files = names;
    unsigned directory = 0;
    const char *text;
    if (!skip_directories(&files, 0, &text))
        return false;
    for (uint64_t i = 0; i <= file; i++) {
        if (!take_byte(&files, &directory) || !take_text(&files, &ret_line->file))
            return false;
    }
    return skip_directories(&names, directory, &ret_line->directory);
}

/* --- The table -------------------------------------------------------------------------------- */

struct table {
    struct header header;
    const uint8_t *units;
    const uint8_t *rows;
    struct names names;
};

static bool header_is_sound(const struct header *header, size_t size_bytes)
{
    uint64_t units_size_bytes = (uint64_t)header->unit_count * sizeof(struct unit);
    return header->size_bytes <= size_bytes &&
           sizeof(*header) + units_size_bytes + header->rows_size_bytes <= header->size_bytes;
}

static bool open_table(const uint8_t *bytes, size_t size_bytes, struct table *ret_table)
{
    struct header header;
    if (size_bytes < sizeof(header))
        return false;
    memcpy(&header, bytes, sizeof(header));
    if (!header_is_sound(&header, size_bytes))
        return false;
    const uint8_t *units = bytes + sizeof(header);
    const uint8_t *rows = units + (size_t)header.unit_count * sizeof(struct unit);
    *ret_table = (struct table){
        .header = header,
        .units = units,
        .rows = rows,
        .names = {(const char *)rows + header.rows_size_bytes,
                  (const char *)bytes + header.size_bytes},
    };
    return true;
}

static struct unit unit_at(const struct table *table, uint32_t index)
{
    struct unit unit;
    memcpy(&unit, table->units + (size_t)index * sizeof(unit), sizeof(unit));
    return unit;
}

/* Go to the rows of the last unit that begins at or before the address. */
static bool find_unit(const struct table *table, uint64_t offset_bytes,
                      struct unit_state *ret_state)
{
    uint32_t following = 0; /* the first unit behind the address */
    while (following < table->header.unit_count &&
           unit_at(table, following).start_bytes <= offset_bytes)
        following++;
    if (following == 0)
        return false;
    struct unit unit = unit_at(table, following - 1);
    uint32_t end_bytes = following == table->header.unit_count
                             ? table->header.rows_size_bytes
                             : unit_at(table, following).rows_offset_bytes;
    if (unit.rows_offset_bytes > end_bytes || end_bytes > table->header.rows_size_bytes)
        return false;
    ret_state->bits =
        (struct bits){table->rows, UINT64_C(8) * unit.rows_offset_bytes, UINT64_C(8) * end_bytes};
    ret_state->address_bytes = unit.start_bytes;
    ret_state->recent_count = 0;
    return true;
}

bool line_table_find(const void *table_bytes, size_t size_bytes, uint64_t offset_bytes,
                     struct source_line *ret_line)
{
    struct table table;
    struct unit_state state;
    struct row row;
    struct source_line line;
    if (!open_table(table_bytes, size_bytes, &table) || !find_unit(&table, offset_bytes, &state) ||
        !find_row(&state, offset_bytes, &row) || !find_name(table.names, row.file, &line))
        return false;
    line.line = (uint32_t)row.line;
    *ret_line = line;
    return true;
}
