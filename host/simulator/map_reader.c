#include "host/simulator/map_reader.h"

#include <stdarg.h>

#include "shared/text/format.h"
#include "shared/handoff.h"
#include "host/simulator/map_decode.h"
#include "host/simulator/map_forms.h"

/* The largest number of lines of a row that a mailer wrapped. */
#define JOINED_LINES_MAX 6

void map_reader_begin(struct map_reader *reader, const char *text, size_t size_bytes)
{
    reader->position = (struct map_position){{text, text + size_bytes}, 0, 1};
}

/* --- Messages --------------------------------------------------------------------------------- */

static void add_note(struct map_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Notes above the limit are dropped: the first ones matter most. */
static void add_note(struct map_reader *reader, const char *format, ...)
{
    if (reader->map.note_count == MAP_TEXT_NOTE_LIMIT)
        return;
    struct map_text_note *note = &reader->map.notes[reader->map.note_count++];
    va_list arguments;
    va_start(arguments, format);
    (void)format_text_v(note->text, sizeof(note->text), format, arguments);
    va_end(arguments);
    note->line = reader->position.line;
}

static bool set_error(struct map_reader *reader, const char *text)
{
    reader->error.line = reader->position.line;
    (void)format_text(reader->error.text, sizeof(reader->error.text), "%s", text);
    return false;
}

/* --- Lines ------------------------------------------------------------------------------------ */

/* Find the end of the line. map_decode() has counted the lines of the file, which gives the number
 * of the next line. */
static bool take_line(struct map_position *position, struct text_cursor *ret_line)
{
    struct text_cursor *rest = &position->rest;
    if (text_cursor_at_end(rest))
        return false;
    position->line = position->next_line;
    *ret_line = *rest;
    while (!text_cursor_at_end(rest) && *rest->at != '\n' && *rest->at != MAP_DECODE_SOFT_BREAK)
        rest->at++;
    ret_line->end = rest->at;
    for (; ret_line->end > ret_line->at && ret_line->end[-1] == MAP_DECODE_JOINED; ret_line->end--)
        position->next_line++;
    if (!text_cursor_at_end(rest)) {
        position->next_line += *rest->at == '\n' ? 1 : 0;
        rest->at++;
    }
    return true;
}

static bool ends_in(struct text_cursor line, const char *word)
{
    size_t length = 0;
    while (word[length] != '\0')
        length++;
    if ((size_t)(line.end - line.at) < length)
        return false;
    line.at = line.end - length;
    return text_cursor_take(&line, word);
}

/* The character with which a mailer or a shell continues a line, unless it belongs to the row. */
static bool ends_in_sign(struct text_cursor line)
{
    return ends_in(line, "\\") || (ends_in(line, "=") && !ends_in(line, "range=") &&
                                   !ends_in(line, "attr=") && !ends_in(line, "type="));
}

static struct text_cursor trimmed(struct text_cursor line)
{
    while (line.end > line.at && (line.end[-1] == ' ' || line.end[-1] == '\t'))
        line.end--;
    line.end -= ends_in_sign(line) ? 1 : 0;
    return line;
}

static bool is_blank(struct text_cursor line)
{
    text_cursor_skip_any(&line, MAP_LINES_QUOTE_MARKS);
    return text_cursor_at_end(&line);
}

static bool has(struct text_cursor line, const char *text)
{
    return text_cursor_take_through(&line, text);
}

/* Texts at the start of a list, and at a new command or boot. */
static bool is_heading(struct text_cursor line)
{
    static const char *const HEADINGS[] = {
        "RAM map:",       "memory map:",     "Linux version ",   "Xen version ",
        "-- Reboot --",   "-- Boot ",        "Shell>",           ":\\>",
        "grub>",          "ShellCommand,\"", "Physical start",   "# Pages",
        "EFI memory map", "[handoff] ",      "# columns:",       "/proc/iomem",
        "lsefimmap",      "lsmmap",          "MemoryMapSummary", "Total Memory",
    };
    for (size_t i = 0; i < sizeof(HEADINGS) / sizeof(HEADINGS[0]); i++) {
        if (has(line, HEADINGS[i]))
            return true;
    }
    return false;
}

/* [   12.345678] as Linux prints it. */
static bool find_time(struct text_cursor line, uint64_t *ret_time_us)
{
    uint64_t seconds, fraction;
    while (text_cursor_take_through(&line, "[")) {
        struct text_cursor time = line;
        text_cursor_skip_blanks(&time);
        if (!text_cursor_take_decimal(&time, &seconds) || !text_cursor_take(&time, "."))
            continue;
        const char *digits = time.at;
        if (!text_cursor_take_decimal(&time, &fraction) || time.at - digits != 6 ||
            seconds > UINT64_MAX / 1000000 - 1)
            continue;
        *ret_time_us = seconds * 1000000 + fraction;
        return true;
    }
    return false;
}

/* A blank line ends a table, but the table may still continue behind it. */
static void end_tables(struct map_reader *reader)
{
    for (unsigned i = 0; i < MAP_TEXT_FORM_COUNT; i++) {
        reader->lists[i].is_table = false;
        reader->lists[i].has_gap = true;
    }
}

static void begin_anew(struct map_reader *reader)
{
    for (unsigned i = 0; i < MAP_TEXT_FORM_COUNT; i++) {
        reader->lists[i].must_break = true;
        reader->lists[i].is_table = false;
    }
}

static void note_time(struct map_reader *reader, struct text_cursor line)
{
    uint64_t time_us;
    if (!find_time(line, &time_us))
        return;
    if (time_us < reader->latest_time_us)
        begin_anew(reader);
    reader->latest_time_us = time_us;
}

/* --- Maps ------------------------------------------------------------------------------------- */

/* No row yet. */
#define NO_BYTES ((struct map_line){.first = 1, .last = 0})

static bool is_empty(const struct map_line *row)
{
    return row->last + 1 == row->first;
}

static bool overlap(const struct map_line *one, const struct map_line *other)
{
    return !is_empty(one) && !is_empty(other) && one->first <= other->last &&
           other->first <= one->last;
}

static bool repeats(const struct map_line *row, const struct map_line *before)
{
    return !is_empty(row) && row->row.type == before->row.type && row->first == before->first &&
           row->last == before->last && row->row.page_count == before->row.page_count &&
           row->row.attribute == before->row.attribute && row->number == before->number;
}

static bool goes_back(const struct map_form *form, const struct map_list *list,
                      const struct map_line *row)
{
    if (row->has_number)
        return row->number < list->next_number;
    if (form->read == map_lines_read_data)
        return false; /* the rows of a test's file may be in any order, and overlap */
    /* The firmware's own rows may be in any order. But rows that follow a gap in the text and begin
     * below the first row belong to another table. The parts of a row in sysfs have its number, so
     * map_sysfs.h finds the start of another list. */
    bool is_behind_gap = list->has_gap && form != map_form_of(MAP_TEXT_SYSFS);
    if (!form->is_sorted)
        return overlap(row, &list->first) ||
               (is_behind_gap && (row->first <= list->first.first || overlap(row, &list->last)));
    bool may_be_inside = form->read == map_lines_read_iomem;
    return row->first < list->last.first ||
           (!may_be_inside && overlap(row, &list->last) && row->first == list->last.first);
}

static bool is_wanted(const struct map_reader *reader, const struct map_list *list)
{
    return reader->reads_map && list->map == reader->map_index;
}

static void note_second_map(struct map_reader *reader, enum map_text_form form, size_t map)
{
    if (!reader->reads_map || form != reader->map_form || map <= reader->map_index)
        return;
    add_note(reader, "a second map begins here: map %zu of %zu is read, --map %zu reads this one",
             reader->map_index + 1, reader->all_map_count, map + 1);
    reader->is_done = true;
}

static struct map_list *open_map(struct map_reader *reader, enum map_text_form form)
{
    struct map_list *list = &reader->lists[form];
    struct map_text *map = &reader->map;
    *list = (struct map_list){
        .is_open = true, .map = map->map_count, .first = NO_BYTES, .last = NO_BYTES};
    if (map->map_count < MAP_TEXT_MAP_LIMIT) {
        map->maps[map->map_count] = (struct map_text_map){form, reader->position.line, 0};
        note_second_map(reader, form, map->map_count);
        map->map_count++;
    }
    if (is_wanted(reader, list) && map_form_of(form)->note != NULL)
        add_note(reader, "%s", map_form_of(form)->note);
    return list;
}

/* Find the list to which the row belongs. A row that cannot be read (NULL) belongs to the list of
 * the rows before it. */
static struct map_list *list_of(struct map_reader *reader, enum map_text_form form,
                                const struct map_line *row)
{
    struct map_list *list = &reader->lists[form];
    bool is_new = !list->is_open || list->must_break ||
                  (row != NULL && goes_back(map_form_of(form), list, row));
    return is_new ? open_map(reader, form) : list;
}

/* --- Rows ------------------------------------------------------------------------------------- */

static void note_missing_rows(struct map_reader *reader, struct map_list *list,
                              const struct map_line *row)
{
    if (!row->has_number)
        return;
    if (row->number > list->next_number && is_wanted(reader, list))
        add_note(reader, "rows are missing: mem%02llu follows where mem%02llu is expected",
                 (unsigned long long)row->number, (unsigned long long)list->next_number);
    list->next_number = row->number == UINT64_MAX ? row->number : row->number + 1;
}

static void keep_framebuffer(struct map_reader *reader, const struct map_line *row)
{
    struct phys_range range;
    uint64_t page_count = row->row.page_count;
    if (page_count <= MEMORY_MAP_PHYSICAL_LIMIT_BYTES / HANDOFF_PAGE_SIZE_BYTES &&
        phys_range_from_base_size(phys_addr(row->row.physical_start),
                                  page_count * HANDOFF_PAGE_SIZE_BYTES, &range))
        reader->map.framebuffer = range;
}

static bool keep_row(struct map_reader *reader, const struct map_line *row)
{
    if (row->is_framebuffer)
        keep_framebuffer(reader, row);
    /* The loader claimed this memory; the firmware has no row for it. */
    if (row->row.type == HANDOFF_EFI_TYPE_NONE)
        return true;
    if (reader->map.row_count == reader->row_capacity)
        return set_error(reader, "there are more rows than there is room for");
    reader->rows[reader->map.row_count++] = row->row;
    return true;
}

static bool add_row(struct map_reader *reader, enum map_text_form form, const struct map_line *row)
{
    struct map_list *list = &reader->lists[form];
    list->is_table = form == MAP_TEXT_TABLE;
    if (row->is_ignored || (list->is_open && form != MAP_TEXT_ROWS && repeats(row, &list->last)))
        return true;
    list = list_of(reader, form, row);
    if (reader->is_done)
        return true;
    note_missing_rows(reader, list, row);
    if (is_empty(&list->first))
        list->first = *row;
    list->last = *row;
    list->is_table = form == MAP_TEXT_TABLE || form == MAP_TEXT_ROWS;
    list->has_gap = false;
    if (row->row.type < 16)
        list->page_counts[row->row.type] += row->row.page_count; /* may wrap: only compared */
    if (list->map < MAP_TEXT_MAP_LIMIT)
        reader->map.maps[list->map].row_count++;
    return !is_wanted(reader, list) || keep_row(reader, row);
}

/* Handle a line of a map that cannot be read. It is an error if this map is to be read. */
static bool add_problem(struct map_reader *reader, enum map_text_form form, const char *problem)
{
    struct map_list *list = list_of(reader, form, NULL);
    return reader->is_done || !is_wanted(reader, list) || set_error(reader, problem);
}

/* --- Rows on several lines -------------------------------------------------------------------- */

static bool append(struct map_reader *reader, size_t *length, struct text_cursor text)
{
    size_t size_bytes = (size_t)(text.end - text.at);
    if (size_bytes > sizeof(reader->joined) - *length)
        return false;
    for (size_t i = 0; i < size_bytes; i++)
        reader->joined[(*length)++] = text.at[i];
    return true;
}

static const char *read_joined(struct map_reader *reader, enum map_text_form form, size_t length,
                               struct text_cursor *cursor, struct map_line *ret_row)
{
    *cursor = (struct text_cursor){reader->joined, reader->joined + length};
    return map_form_of(form)->read(cursor, ret_row);
}

/* Join the next line behind the row's first part, directly (a word may have been cut) or with a
 * blank. *problem becomes NULL if the row can be read now. Return false if the line does not
 * continue the row. */
static bool join(struct map_reader *reader, enum map_text_form form, size_t *length,
                 struct text_cursor next, struct text_cursor *cursor, const char **problem,
                 struct map_line *ret_row)
{
    static const char BLANK[] = " ";
    bool is_at_word_end = ret_row->ends_in_words;
    for (int blank_count = is_at_word_end ? 1 : 0; blank_count <= 1; blank_count++) {
        size_t joined_length = *length;
        if (!append(reader, &joined_length, (struct text_cursor){BLANK, BLANK + blank_count}) ||
            !append(reader, &joined_length, next))
            return false;
        *problem = read_joined(reader, form, joined_length, cursor, ret_row);
        if (*problem == NULL || (blank_count == 1 && text_cursor_at_end(cursor))) {
            *length = joined_length;
            return true;
        }
    }
    return false;
}

static bool take_continuation(struct map_reader *reader, enum map_text_form form,
                              struct text_cursor *ret_line)
{
    struct text_cursor found;
    if (!take_line(&reader->position, ret_line))
        return false;
    *ret_line = trimmed(*ret_line);
    /* A row of Linux's list contains |. */
    text_cursor_skip_any(ret_line, form == MAP_TEXT_LINUX ? " \t>" : MAP_LINES_QUOTE_MARKS);
    found = *ret_line;
    return !text_cursor_at_end(ret_line) &&
           (map_form_of(form)->is_weak ||
            !map_form_of(form)->find(&found, map_form_of(form)->mark));
}

/* Read a row that begins at `start` and continues on the lines behind it. Return false, and take
 * nothing, if the joined lines are not a row. */
static bool read_over_lines(struct map_reader *reader, enum map_text_form form,
                            struct text_cursor start, struct text_cursor *cursor,
                            struct map_line *ret_row)
{
    struct map_position saved = reader->position;
    const char *problem = "";
    size_t length = 0;
    struct text_cursor next;
    bool goes_on = append(reader, &length, start);
    for (unsigned i = 1; goes_on && problem != NULL && i < JOINED_LINES_MAX; i++)
        goes_on = take_continuation(reader, form, &next) &&
                  join(reader, form, &length, next, cursor, &problem, ret_row);
    if (problem != NULL)
        reader->position = saved;
    reader->position.line = saved.line; /* notes about a row name its first line */
    return problem == NULL;
}

/* Return true if the next line is only the rest of a row that could be read without it. */
static bool goes_on(const struct map_reader *reader, const struct map_line *row)
{
    struct map_position ahead = reader->position;
    struct text_cursor next;
    if (!(row->ends_in_words || row->ends_in_digit) || !take_line(&ahead, &next))
        return false;
    next = trimmed(next);
    return row->ends_in_words ? map_lines_is_attributes(next) : map_lines_is_digits(next);
}

/* Take one row. Then the cursor is behind the row, perhaps in a line that was joined to it. */
static bool take_row(struct map_reader *reader, enum map_text_form form, struct text_cursor *cursor)
{
    const struct map_form *traits = map_form_of(form);
    struct map_line row = {0};
    struct text_cursor start = *cursor;
    const char *problem = traits->read(cursor, &row);
    text_cursor_skip_any(cursor, MAP_LINES_QUOTE_MARKS);
    bool breaks_off = text_cursor_at_end(cursor);
    if (problem == NULL && breaks_off && goes_on(reader, &row))
        (void)read_over_lines(reader, form, start, cursor, &row);
    if (problem == NULL)
        return add_row(reader, form, &row);
    if (breaks_off && read_over_lines(reader, form, start, cursor, &row))
        return add_row(reader, form, &row);
    bool is_prose = breaks_off && (traits->is_weak || text_cursor_at_end(&start));
    cursor->at = cursor->end;
    return is_prose || add_problem(reader, form, problem);
}

/* --- Lines that are not rows ------------------------------------------------------------------ */

static unsigned count_numbers(struct text_cursor line, unsigned digit_count_min)
{
    unsigned count = 0;
    uint64_t number;
    struct text_cursor rest = line;
    for (; text_cursor_next_number(&rest, line); rest.at++) {
        if (text_cursor_take_long_hex(&rest, line, digit_count_min, &number)) {
            count++;
            rest.at--;
        }
    }
    return count;
}

/* Only a row of a table has such numbers, so the line was copied wrongly. */
static bool looks_like_table_row(struct text_cursor line)
{
    return count_numbers(line, 12) > 0 && count_numbers(line, 8) > 1;
}

static void check_sum(struct map_reader *reader, struct map_list *list, uint32_t type,
                      uint64_t page_count)
{
    list->must_break = true;
    list->is_table = false;
    if (is_wanted(reader, list) && type < 16 && page_count != list->page_counts[type])
        add_note(reader,
                 "the rows have %llu pages of this type, but the sum is %llu: a row is missing or "
                 "was misread",
                 (unsigned long long)list->page_counts[type], (unsigned long long)page_count);
}

static bool take_other_line(struct map_reader *reader, struct text_cursor line)
{
    struct map_list *table = &reader->lists[MAP_TEXT_TABLE];
    uint32_t type;
    uint64_t page_count;
    if (table->is_open && map_lines_read_sum(line, &type, &page_count)) {
        check_sum(reader, table, type, page_count);
        return true;
    }
    if (table->is_table && looks_like_table_row(line))
        return add_problem(reader, MAP_TEXT_TABLE,
                           "this is not a row of the shell's memmap or GRUB's lsefimmap");
    return true;
}

static bool take_sysfs_line(struct map_reader *reader, struct text_cursor line, bool *ret_taken)
{
    struct map_line row;
    const char *problem;
    enum map_sysfs_result result = map_sysfs_take(&reader->sysfs, line, &row, &problem);
    *ret_taken = result != MAP_SYSFS_OTHER;
    if (result == MAP_SYSFS_NEW_MAP)
        reader->lists[MAP_TEXT_SYSFS].must_break = true;
    if (result != MAP_SYSFS_ROW)
        return true;
    return problem != NULL ? add_problem(reader, MAP_TEXT_SYSFS, problem)
                           : add_row(reader, MAP_TEXT_SYSFS, &row);
}

static bool take_line_of_marked_forms(struct map_reader *reader, struct text_cursor line)
{
    enum map_text_form form;
    bool is_row = false, is_sysfs = false, sound = true;
    while (sound && !reader->is_done && (form = map_form_find(&line)) != MAP_TEXT_NONE) {
        is_row = true;
        sound = take_row(reader, form, &line);
    }
    if (!is_row)
        sound = take_sysfs_line(reader, line, &is_sysfs);
    if (sound && !is_row && !is_sysfs)
        sound = take_other_line(reader, line);
    return sound;
}

/* Data rows have no mark and are recognised by their order. Text may come before them, and behind a
 * blank line. */
static bool take_line_of_data(struct map_reader *reader, struct text_cursor line)
{
    struct map_line row;
    struct text_cursor cursor = line;
    const struct map_list *list = &reader->lists[MAP_TEXT_ROWS];
    const char *problem = map_lines_read_data(&cursor, &row);
    if (problem == NULL)
        return add_row(reader, MAP_TEXT_ROWS, &row);
    if (list->is_table || map_lines_looks_like_data(line))
        return add_problem(reader, MAP_TEXT_ROWS, problem);
    return true;
}

static bool is_comment(struct text_cursor line)
{
    text_cursor_skip_blanks(&line);
    return text_cursor_take(&line, "#");
}

static bool process_line(struct map_reader *reader, struct text_cursor line)
{
    line = trimmed(line);
    note_time(reader, line);
    if (is_heading(line))
        begin_anew(reader);
    if (is_blank(line)) {
        end_tables(reader);
        return true;
    }
    if (is_comment(line))
        return true;
    return reader->reads_data_rows ? take_line_of_data(reader, line)
                                   : take_line_of_marked_forms(reader, line);
}

bool map_reader_run(struct map_reader *reader)
{
    struct text_cursor line;
    bool sound = true;
    while (sound && !reader->is_done && take_line(&reader->position, &line))
        sound = process_line(reader, line);
    if (sound && reader->reads_map && reader->map_form == MAP_TEXT_SYSFS && !reader->is_done &&
        map_sysfs_lacks_parts(&reader->sysfs))
        return set_error(reader, "an entry lacks its start, its end or its type");
    return sound;
}

/* --- The reason for a missing map ------------------------------------------------------------- */

#define SHOWN_BYTES_MAX 60

static void quote_line(struct map_reader *reader, struct text_cursor line)
{
    char shown[SHOWN_BYTES_MAX + 1];
    size_t length = 0;
    text_cursor_skip_blanks(&line);
    for (; line.at < line.end && length < SHOWN_BYTES_MAX; line.at++)
        shown[length++] = *line.at >= ' ' && *line.at <= '~' ? *line.at : '?';
    shown[length] = '\0';
    reader->error.form_is_unknown = true;
    (void)format_text(
        reader->error.text, sizeof(reader->error.text),
        "no line is a row of a memory map in a known form; the closest line is: \"%s\"", shown);
}

void map_reader_explain(struct map_reader *reader)
{
    struct text_cursor line, closest = {NULL, NULL};
    unsigned best = 0;
    while (take_line(&reader->position, &line)) {
        /* A row has at least two numbers of some length. */
        unsigned score = count_numbers(line, 4) + 1;
        if (score <= best || is_blank(line) || is_comment(line))
            continue;
        best = score;
        closest = line;
        reader->error.line = reader->position.line;
    }
    if (best > 0)
        quote_line(reader, closest);
    else
        (void)format_text(reader->error.text, sizeof(reader->error.text),
                          "it has no row of a memory map");
    reader->error.form_is_unknown = true;
}
