#include "host/simulator/map_sysfs.h"

#include "host/simulator/efi_names.h"

#define ALL_FILES ((1u << MAP_SYSFS_FILE_COUNT) - 1)

static bool take_file(struct text_cursor *cursor, enum map_sysfs_file *ret_file)
{
    static const char *const FILES[] = {"/start", "/end", "/type"};
    for (unsigned i = 0; i < MAP_SYSFS_FILE_COUNT; i++) {
        struct text_cursor rest = *cursor;
        if (text_cursor_take(&rest, FILES[i]) && text_cursor_at_word_end(&rest)) {
            *cursor = rest;
            *ret_file = (enum map_sysfs_file)i;
            return true;
        }
    }
    return false;
}

/* Take …/12/start, and move the cursor behind it. */
static bool take_path(struct text_cursor *cursor, uint64_t *ret_number,
                      enum map_sysfs_file *ret_file)
{
    for (struct text_cursor rest = *cursor; rest.at < rest.end; rest.at++) {
        struct text_cursor path = rest;
        struct text_cursor before = {rest.at - 1, rest.end};
        if (rest.at > cursor->at && !text_cursor_at_word_end(&before))
            continue;
        if (text_cursor_take_decimal(&path, ret_number) && take_file(&path, ret_file)) {
            *cursor = path;
            return true;
        }
    }
    return false;
}

static bool is_at_end(struct text_cursor cursor)
{
    text_cursor_skip_any(&cursor, MAP_LINES_QUOTE_MARKS "\"'");
    return text_cursor_at_end(&cursor);
}

static bool take_value(struct text_cursor cursor, enum map_sysfs_file file, uint64_t *ret_value)
{
    uint32_t type;
    text_cursor_skip_any(&cursor, MAP_LINES_QUOTE_MARKS);
    if (file == MAP_SYSFS_TYPE) {
        if (!efi_names_take_e820_kind(&cursor, &type))
            return false;
        *ret_value = type;
        return is_at_end(cursor);
    }
    struct text_cursor digits = cursor;
    return text_cursor_take(&digits, "0x") && text_cursor_take_hex(&cursor, ret_value) &&
           is_at_end(cursor);
}

static void forget(struct map_sysfs *sysfs)
{
    sysfs->entry_count = 0;
    sysfs->latest = 0;
}

static struct map_sysfs_entry *find_entry(struct map_sysfs *sysfs, uint64_t number)
{
    for (size_t i = 0; i < sysfs->entry_count; i++) {
        size_t index = (sysfs->latest + i) % sysfs->entry_count;
        if (sysfs->entries[index].number == number) {
            sysfs->latest = index;
            return &sysfs->entries[index];
        }
    }
    if (sysfs->entry_count == MAP_SYSFS_ENTRY_LIMIT)
        return NULL;
    sysfs->latest = sysfs->entry_count++;
    sysfs->entries[sysfs->latest] = (struct map_sysfs_entry){.number = number};
    return &sysfs->entries[sysfs->latest];
}

static const char *finish(const struct map_sysfs_entry *entry, struct map_line *ret_line)
{
    return map_lines_row_of_bytes((uint32_t)entry->values[MAP_SYSFS_TYPE],
                                  entry->values[MAP_SYSFS_START], entry->values[MAP_SYSFS_END],
                                  ret_line);
}

static enum map_sysfs_result keep_value(struct map_sysfs *sysfs, uint64_t number,
                                        enum map_sysfs_file file, uint64_t value,
                                        struct map_line *ret_line, const char **ret_problem)
{
    struct map_sysfs_entry *entry = find_entry(sysfs, number);
    unsigned bit = 1u << file;
    if (entry == NULL) {
        *ret_problem = "there are more entries than any firmware has";
        return MAP_SYSFS_ROW;
    }
    if ((entry->known & bit) != 0) {
        if (entry->values[file] == value)
            return MAP_SYSFS_TAKEN;
        forget(sysfs);
        (void)keep_value(sysfs, number, file, value, ret_line, ret_problem);
        return MAP_SYSFS_NEW_MAP;
    }
    entry->known |= bit;
    entry->values[file] = value;
    if (entry->known != ALL_FILES)
        return MAP_SYSFS_TAKEN;
    *ret_problem = finish(entry, ret_line);
    return MAP_SYSFS_ROW;
}

/* Two lines with a number, and one with a kind. */
static enum map_sysfs_result take_bare(struct map_sysfs *sysfs, struct text_cursor line,
                                       struct map_line *ret_line, const char **ret_problem)
{
    struct map_sysfs_entry entry;
    uint64_t value;
    if (take_value(line, MAP_SYSFS_START, &value)) {
        sysfs->numbers[0] = sysfs->numbers[1];
        sysfs->numbers[1] = value;
        sysfs->number_count += sysfs->number_count < 2 ? 1 : 0;
        return MAP_SYSFS_TAKEN;
    }
    bool is_row = sysfs->number_count == 2 && take_value(line, MAP_SYSFS_TYPE, &value);
    sysfs->number_count = 0;
    if (!is_row)
        return MAP_SYSFS_OTHER;
    bool is_ordered = sysfs->numbers[0] <= sysfs->numbers[1];
    entry.values[MAP_SYSFS_START] = sysfs->numbers[is_ordered ? 0 : 1];
    entry.values[MAP_SYSFS_END] = sysfs->numbers[is_ordered ? 1 : 0];
    entry.values[MAP_SYSFS_TYPE] = value;
    *ret_problem = finish(&entry, ret_line);
    return MAP_SYSFS_ROW;
}

enum map_sysfs_result map_sysfs_take(struct map_sysfs *sysfs, struct text_cursor line,
                                     struct map_line *ret_line, const char **ret_problem)
{
    uint64_t number, value;
    enum map_sysfs_file file;
    *ret_problem = NULL;
    if (sysfs->awaits_value) {
        sysfs->awaits_value = is_at_end(line);
        if (take_value(line, sysfs->awaited_file, &value))
            return keep_value(sysfs, sysfs->awaited_number, sysfs->awaited_file, value, ret_line,
                              ret_problem);
        text_cursor_skip_any(&line, ":");
        if (sysfs->awaits_value || text_cursor_at_end(&line)) {
            sysfs->awaits_value = true; /* more(1) prints a line of colons before and behind */
            return MAP_SYSFS_TAKEN;
        }
    }
    if (!take_path(&line, &number, &file))
        return take_bare(sysfs, line, ret_line, ret_problem);
    text_cursor_skip_any(&line, " \t:=<");
    if (take_value(line, file, &value))
        return keep_value(sysfs, number, file, value, ret_line, ret_problem);
    if (!is_at_end(line))
        return MAP_SYSFS_OTHER;
    sysfs->awaits_value = true;
    sysfs->awaited_file = file;
    sysfs->awaited_number = number;
    return MAP_SYSFS_TAKEN;
}

bool map_sysfs_lacks_parts(const struct map_sysfs *sysfs)
{
    for (size_t i = 0; i < sysfs->entry_count; i++) {
        if (sysfs->entries[i].known != ALL_FILES)
            return true;
    }
    return false;
}
