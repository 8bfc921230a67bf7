#include "tests/simulator/map_text.h"

#include <stdarg.h>

#include "shared/format.h"
#include "shared/handoff.h"
#include "tests/simulator/efi_names.h"
#include "tests/simulator/map_lines.h"
#include "tests/simulator/text_cursor.h"

/* How each form's lines are found and read. */
struct form {
    enum map_text_form form;
    const char *name;
    bool (*find)(struct text_cursor *cursor);
    const char *(*read)(struct text_cursor cursor, struct map_line *ret_line);
    bool repeats_mean_second_map; /* a log may hold two boots */
};

/* In the order in which they are preferred: the firmware's own map tells more than E820. */
static const struct form FORMS[] = {
    {MAP_TEXT_LINUX, "efi: mem lines of Linux", map_lines_find_linux, map_lines_read_linux, false},
    {MAP_TEXT_KERNEL_LOG, "[region] lines of this kernel", map_lines_find_kernel_log,
     map_lines_read_kernel_log, true},
    {MAP_TEXT_SHELL, "memmap of the UEFI shell", map_lines_find_shell, map_lines_read_shell, true},
    {MAP_TEXT_E820, "BIOS-e820 lines of Linux", map_lines_find_e820, map_lines_read_e820, true},
};
#define FORM_COUNT (sizeof(FORMS) / sizeof(FORMS[0]))

static const struct form ROWS_FORM = {MAP_TEXT_ROWS, "data rows", NULL, map_lines_read_row, false};

const char *map_text_form_name(enum map_text_form form)
{
    for (size_t i = 0; i < FORM_COUNT; i++) {
        if (FORMS[i].form == form)
            return FORMS[i].name;
    }
    return form == MAP_TEXT_ROWS ? ROWS_FORM.name : "none";
}

/* --- The file's bytes ------------------------------------------------------------------------- */

static size_t decode_utf(char *text, size_t size_bytes)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = 0;
    if (size_bytes >= 2 && bytes[0] == 0xff && bytes[1] == 0xfe) {
        for (size_t i = 2; i + 1 < size_bytes; i += 2)
            text[length++] = bytes[i + 1] == 0 && bytes[i] < 0x80 ? (char)bytes[i] : '?';
        return length;
    }
    if (size_bytes < 3 || bytes[0] != 0xef || bytes[1] != 0xbb || bytes[2] != 0xbf)
        return size_bytes;
    for (size_t i = 3; i < size_bytes; i++)
        text[length++] = text[i];
    return length;
}

/* What follows ESC [ up to its final character (ECMA-48, section 5.4). */
static size_t end_of_control_sequence(const char *text, size_t size_bytes, size_t at)
{
    while (at < size_bytes && text[at] >= 0x20 && text[at] < 0x40)
        at++;
    return at < size_bytes ? at + 1 : at;
}

/* A shell on a serial line colours its words and moves the cursor. */
static size_t drop_control_sequences(char *text, size_t size_bytes)
{
    size_t length = 0;
    for (size_t i = 0; i < size_bytes;) {
        if (text[i] == 0x1b && i + 1 < size_bytes && text[i + 1] == '[')
            i = end_of_control_sequence(text, size_bytes, i + 2);
        else
            text[length++] = text[i++];
    }
    return length;
}

size_t map_text_decode(char *text, size_t size_bytes)
{
    return drop_control_sequences(text, decode_utf(text, size_bytes));
}

size_t map_text_row_limit(const char *text, size_t size_bytes)
{
    size_t line_count = 1;
    for (size_t i = 0; i < size_bytes; i++)
        line_count += text[i] == '\n' ? 1 : 0;
    return line_count;
}

/* --- Lines ------------------------------------------------------------------------------------ */

struct reader {
    struct text_cursor rest;
    unsigned line; /* the number of the line that was taken last, from 1 */
    struct memory_map_descriptor *rows;
    size_t row_capacity;
    struct map_text map;
    struct map_text_note error;
    uint64_t next_number;     /* Linux: of the row that is expected */
    uint64_t page_counts[16]; /* shell: by EFI type, for the sums */
    bool table_has_ended;     /* shell: the sums have begun */
};

static bool take_line(struct reader *reader, struct text_cursor *ret_line)
{
    if (text_cursor_at_end(&reader->rest))
        return false;
    if (!text_cursor_take_until(&reader->rest, '\n', ret_line)) {
        *ret_line = reader->rest;
        reader->rest.at = reader->rest.end;
    }
    while (ret_line->end > ret_line->at && ret_line->end[-1] == '\r')
        ret_line->end--;
    reader->line++;
    return true;
}

static void add_note(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What is beyond the limit is not told: the first doubts are those that matter. */
static void add_note(struct reader *reader, const char *format, ...)
{
    if (reader->map.note_count == MAP_TEXT_NOTE_LIMIT)
        return;
    struct map_text_note *note = &reader->map.notes[reader->map.note_count++];
    va_list arguments;
    va_start(arguments, format);
    (void)format_text_v(note->text, sizeof(note->text), format, arguments);
    va_end(arguments);
    note->line = reader->line;
}

static bool set_error(struct reader *reader, unsigned line, const char *text)
{
    reader->error.line = line;
    (void)format_text(reader->error.text, sizeof(reader->error.text), "%s", text);
    return false;
}

static bool is_blank_or_comment(struct text_cursor line)
{
    text_cursor_skip_blanks(&line);
    return text_cursor_at_end(&line) || *line.at == '#';
}

/* --- Which form ------------------------------------------------------------------------------- */

static const struct form *recognise(const char *text, size_t size_bytes)
{
    struct reader reader = {.rest = {text, text + size_bytes}};
    size_t best = FORM_COUNT;
    struct text_cursor line;
    while (best > 0 && take_line(&reader, &line)) {
        for (size_t i = 0; i < best; i++) {
            struct text_cursor cursor = line;
            if (!is_blank_or_comment(line) && FORMS[i].find(&cursor))
                best = i;
        }
    }
    return best < FORM_COUNT ? &FORMS[best] : &ROWS_FORM;
}

/* --- Rows ------------------------------------------------------------------------------------- */

/* A log that holds two boots has two maps: the first is read. */
static bool begins_second_map(struct reader *reader, const struct form *form,
                              const struct map_line *line)
{
    if (reader->map.row_count == 0)
        return false;
    if (form->form == MAP_TEXT_LINUX)
        return line->number < reader->next_number;
    const struct memory_map_descriptor *first = &reader->rows[0];
    return form->repeats_mean_second_map && line->row.physical_start == first->physical_start &&
           line->row.page_count == first->page_count && line->row.page_count != 0;
}

static void note_missing_rows(struct reader *reader, const struct form *form,
                              const struct map_line *line)
{
    if (form->form != MAP_TEXT_LINUX)
        return;
    if (line->number > reader->next_number)
        add_note(reader, "rows are missing: mem%02llu follows where mem%02llu is expected",
                 (unsigned long long)line->number, (unsigned long long)reader->next_number);
    reader->next_number = line->number == UINT64_MAX ? line->number : line->number + 1;
}

static void keep_framebuffer(struct reader *reader, const struct map_line *line)
{
    struct range range;
    uint64_t page_count = line->row.page_count;
    if (page_count <= MEMORY_MAP_PHYSICAL_LIMIT_BYTES / HANDOFF_PAGE_SIZE_BYTES &&
        range_from_base_size(line->row.physical_start, page_count * HANDOFF_PAGE_SIZE_BYTES,
                             &range))
        reader->map.framebuffer = range;
}

static bool keep_row(struct reader *reader, const struct map_line *line)
{
    if (line->is_framebuffer)
        keep_framebuffer(reader, line);
    /* What the loader claimed where the firmware has no row. */
    if (line->row.type == HANDOFF_EFI_TYPE_NONE)
        return true;
    if (reader->map.row_count == reader->row_capacity)
        return set_error(reader, reader->line, "there are more rows than there is room for");
    if (line->row.type < 16)
        reader->page_counts[line->row.type] += line->row.page_count; /* may wrap: only compared */
    reader->rows[reader->map.row_count++] = line->row;
    return true;
}

/* The lines amidst the shell's rows that are none: the head, and "Press ENTER to continue". */
static bool is_shell_ornament(struct text_cursor line)
{
    return text_cursor_take_through(&line, "Attributes") ||
           text_cursor_take_through(&line, "ENTER");
}

/* The lines behind the table, if it has no sums. */
static bool is_end_of_shell_table(struct text_cursor line)
{
    return text_cursor_take_through(&line, "Total Memory") ||
           text_cursor_take_through(&line, "MemoryMapSummary") ||
           text_cursor_take_through(&line, "ShellCommand") ||
           text_cursor_take_through(&line, ":\\>") || text_cursor_take_through(&line, "Shell>");
}

/* Sums, ornament, or a row that was copied wrongly. Before the table stands what the shell said
 * before. */
static bool judge_other_shell_line(struct reader *reader, struct text_cursor line)
{
    uint32_t type;
    uint64_t page_count;
    if (reader->map.row_count == 0)
        return true;
    if (map_lines_read_shell_sum(line, &type, &page_count)) {
        reader->table_has_ended = true;
        if (type < 16 && page_count != reader->page_counts[type])
            add_note(reader,
                     "the rows have %llu pages of this type, the sum says %llu: a row is "
                     "missing or was misread",
                     (unsigned long long)reader->page_counts[type], (unsigned long long)page_count);
        return true;
    }
    reader->table_has_ended = reader->table_has_ended || is_end_of_shell_table(line);
    if (reader->table_has_ended || is_shell_ornament(line))
        return true;
    return set_error(reader, reader->line, "this is no row of the shell's memmap");
}

/* Read one line. False: an error. *ret_done: nothing more is to be read. */
static bool read_line(struct reader *reader, const struct form *form, struct text_cursor line,
                      bool *ret_done)
{
    struct map_line row;
    if (is_blank_or_comment(line))
        return true;
    if (form->find != NULL && !form->find(&line))
        return form->form != MAP_TEXT_SHELL || judge_other_shell_line(reader, line);
    const char *problem = form->read(line, &row);
    if (problem != NULL)
        return set_error(reader, reader->line, problem);
    if (row.is_gap)
        return true;
    if (begins_second_map(reader, form, &row)) {
        add_note(reader, "a second map begins here: only the first is read");
        *ret_done = true;
        return true;
    }
    note_missing_rows(reader, form, &row);
    return keep_row(reader, &row);
}

bool map_text_parse(const char *text, size_t size_bytes, struct memory_map_descriptor *rows,
                    size_t row_capacity, struct map_text *ret_map, struct map_text_note *ret_error)
{
    const struct form *form = recognise(text, size_bytes);
    struct reader reader = {
        .rest = {text, text + size_bytes},
        .rows = rows,
        .row_capacity = row_capacity,
        .map = {.form = form->form},
    };
    struct text_cursor line;
    bool sound = true;
    bool done = false;
    while (sound && !done && take_line(&reader, &line))
        sound = read_line(&reader, form, line, &done);
    if (sound && reader.map.row_count == 0)
        sound = set_error(&reader, 0, "there is no row of a memory map in it");
    if (!sound) {
        *ret_error = reader.error;
        return false;
    }
    *ret_map = reader.map;
    return true;
}
