#include "bootloader/pure/entries.h"

#include "bootloader/pure/entry_name.h"
#include "shared/memory.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

static struct entry *add(struct entry_list *list)
{
    if (list->count == ENTRY_LIMIT) {
        list->left_out_count++;
        return NULL;
    }
    struct entry *entry = &list->entries[list->count++];
    memset(entry, 0, sizeof(*entry));
    return entry;
}

static void copy_piece(struct piece piece, char *text, size_t capacity_bytes)
{
    format_text(text, capacity_bytes, "%.*s", (int)piece.length, piece.text);
}

/* The ID is known. */
static void refuse(struct entry *entry, enum config_status status, unsigned line, const char *key)
{
    entry->status = status;
    entry->wrong.line = line;
    copy_piece((struct piece){key, text_length(key)}, entry->wrong.key, sizeof(entry->wrong.key));
}

static void set_title(struct entry *entry, const char *title)
{
    const char *best = title[0] != '\0' ? title : entry->id[0] != '\0' ? entry->id : "(no ID)";
    copy_piece((struct piece){best, text_length(best)}, entry->title, sizeof(entry->title));
}

/* --- handoff.conf --- */

static bool is_start(struct piece line, struct piece *ret_id)
{
    struct piece key;
    return config_split_line(line, &key, ret_id) && piece_equals(key, "entry");
}

/* Take the lines up to the next entry, whose ID is *ret_id. Return false if none follows. */
static bool take_section(struct piece *text, unsigned *line, struct piece *ret_lines,
                         struct piece *ret_id)
{
    *ret_lines = (struct piece){text->text, 0};
    while (text->length > 0) {
        ret_lines->length = (size_t)(text->text - ret_lines->text);
        bool is_found = is_start(config_next_line(text), ret_id);
        ++*line;
        if (is_found)
            return true;
    }
    ret_lines->length = (size_t)(text->text - ret_lines->text);
    return false;
}

static void set_id(struct entry_list *list, struct entry *entry, struct piece id, unsigned line)
{
    char copy[CONFIG_ID_CAPACITY];
    if (!config_is_id(id)) {
        refuse(entry, CONFIG_BAD_ID, line, "entry");
        return;
    }
    copy_piece(id, copy, sizeof(copy));
    if (entries_find(list, copy) != NULL)
        refuse(entry, CONFIG_DUPLICATE_ID, line, "entry");
    memcpy(entry->id, copy, sizeof(copy));
}

static struct entry *add_section(struct entry_list *list, struct piece id, unsigned line)
{
    struct entry *entry = add(list);
    if (entry != NULL) {
        set_id(list, entry, id, line - 1);
        entry->first_line = line;
    }
    return entry;
}

enum config_status entries_begin(struct piece text, struct entry_list *list,
                                 struct config *ret_globals, struct config *scratch,
                                 struct config_wrong *ret_wrong)
{
    struct piece lines;
    struct piece id;
    unsigned line = 1;
    list->count = list->left_out_count = 0;
    list->is_single = false;
    *ret_wrong = (struct config_wrong){0};
    config_set_defaults(ret_globals);
    if (text.length > CONFIG_FILE_LIMIT_BYTES)
        return CONFIG_FILE_TOO_LARGE;
    text = config_without_mark(text);
    bool has_next = take_section(&text, &line, &lines, &id);
    enum config_status status = config_parse_lines(lines, 1, false, ret_globals, ret_wrong);
    while (status == CONFIG_OK && has_next) {
        struct entry *entry = add_section(list, id, line);
        has_next = take_section(&text, &line, &lines, &id);
        if (entry != NULL)
            entry_set_text(list, entry, lines, ret_globals, scratch);
    }
    return status;
}

/* --- Files --- */

static bool read_file_name(struct entry *entry, const char *file_name)
{
    struct entry_name name;
    size_t length = text_length(file_name);
    if (length >= sizeof(entry->file_name) ||
        !entry_name_parse((struct piece){file_name, length}, &name))
        return false;
    memcpy(entry->id, name.id, sizeof(entry->id));
    memcpy(entry->file_name, file_name, length + 1);
    entry->has_counter = name.has_counter;
    entry->tries_left = name.has_counter ? name.tries_left : 0;
    return true;
}

bool entry_has_no_tries(const struct entry *entry)
{
    return entry->has_counter && entry->tries_left == 0;
}

static bool is_before(const struct entry *a, const struct entry *b)
{
    const char *left = a->id;
    const char *right = b->id;
    if (entry_has_no_tries(a) != entry_has_no_tries(b))
        return entry_has_no_tries(b);
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return *left < *right;
}

/* Firmware lists a folder in any order. */
struct entry *entries_add_file(struct entry_list *list, const char *file_name)
{
    static struct entry added;
    memset(&added, 0, sizeof(added));
    if (!read_file_name(&added, file_name) || add(list) == NULL)
        return NULL;
    struct entry *place = &list->entries[list->count - 1];
    for (; place > list->entries && place[-1].file_name[0] != '\0' && is_before(&added, place - 1);
         place--)
        memcpy(place, place - 1, sizeof(*place));
    memcpy(place, &added, sizeof(*place));
    return place;
}

void entry_set_text(struct entry_list *list, struct entry *entry, struct piece text,
                    const struct config *globals, struct config *scratch)
{
    if (entry->file_name[0] != '\0') {
        entry->first_line = 1;
        if (entries_find(list, entry->id) != entry)
            refuse(entry, CONFIG_DUPLICATE_ID, 0, "");
        if (text.length > CONFIG_FILE_LIMIT_BYTES)
            refuse(entry, CONFIG_FILE_TOO_LARGE, 0, "");
        else
            text = config_without_mark(text);
    }
    entry->text = text;
    memcpy(scratch, globals, sizeof(*scratch));
    scratch->title[0] = '\0';
    if (entry->status == CONFIG_OK)
        entry->status =
            config_parse_lines(entry->text, entry->first_line, true, scratch, &entry->wrong);
    entry->kind = scratch->efi_path[0] != '\0' ? ENTRY_EFI : ENTRY_KERNEL;
    set_title(entry, scratch->title);
}

/* --- The whole list --- */

void entries_finish(struct entry_list *list, const struct config *globals)
{
    list->is_single = list->count == 0;
    if (!list->is_single)
        return;
    struct entry *entry = add(list);
    copy_piece((struct piece){"default", 7}, entry->id, sizeof(entry->id));
    entry->kind = globals->efi_path[0] != '\0' ? ENTRY_EFI : ENTRY_KERNEL;
    set_title(entry, globals->title);
}

struct entry *entries_find(struct entry_list *list, const char *id)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (text_equal(list->entries[i].id, id))
            return &list->entries[i];
    }
    return NULL;
}

bool entry_is_good(const struct entry *entry)
{
    return entry->status == CONFIG_OK && entry->error == LOADER_OK;
}

struct entry *entries_first_good(struct entry_list *list)
{
    struct entry *last_choice = NULL;
    for (unsigned i = 0; i < list->count; i++) {
        struct entry *entry = &list->entries[i];
        if (!entry_is_good(entry))
            continue;
        if (!entry_has_no_tries(entry))
            return entry;
        if (last_choice == NULL)
            last_choice = entry;
    }
    return last_choice;
}

void entry_configure(const struct entry *entry, const struct config *globals,
                     struct config *ret_config)
{
    struct config_wrong none;
    memcpy(ret_config, globals, sizeof(*ret_config));
    ret_config->unknown_key_count = ret_config->first_unknown_line = 0;
    (void)!config_parse_lines(entry->text, entry->first_line, true, ret_config, &none);
}

void entry_describe_error(const struct entry *entry, const char *config_path, char *text,
                          size_t capacity_bytes)
{
    bool has_file = entry->file_name[0] != '\0';
    config_describe_wrong(has_file ? ENTRY_FOLDER "\\" : "",
                          has_file ? entry->file_name : config_path, entry->status, &entry->wrong,
                          text, capacity_bytes);
}
