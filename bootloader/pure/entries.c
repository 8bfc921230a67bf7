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

/* Give the global values to the configuration of the next entry. */
static struct config *inherit(const struct entry_list *list)
{
    memcpy(list->config, list->globals, sizeof(*list->config));
    return list->config;
}

static void set_title(struct entry *entry, const char *title)
{
    const char *best = title[0] != '\0' ? title : entry->id[0] != '\0' ? entry->id : "(no ID)";
    format_text(entry->title, sizeof(entry->title), "%s", best);
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
        bool is_found = is_start(piece_next_line(text), ret_id);
        ++*line;
        if (is_found)
            return true;
    }
    ret_lines->length = (size_t)(text->text - ret_lines->text);
    return false;
}

/* The place is that of the ID until the entry's own lines have an error. */
static void set_id(struct entry_list *list, struct entry *entry, struct piece id, unsigned line)
{
    entry->wrong = (struct config_wrong){line, "entry"};
    entry->status = CONFIG_BAD_ID;
    if (!config_is_id(id))
        return;
    copy_piece(id, entry->id, sizeof(entry->id));
    entry->status = entries_find(list, entry->id) == entry ? CONFIG_OK : CONFIG_DUPLICATE_ID;
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

static enum config_status read_globals(struct entry_list *list, struct piece lines,
                                       struct config_wrong *ret_wrong)
{
    enum config_status status = config_parse_lines(lines, 1, false, list->globals, ret_wrong);
    inherit(list);
    return status;
}

/* The first section has the global lines, and no ID. */
static enum config_status read_sections(struct piece text, struct entry_list *list,
                                        struct config_wrong *ret_wrong)
{
    unsigned line = 1;
    bool is_global = true;
    bool has_next;
    struct piece id = {0};
    do {
        struct entry *entry = is_global ? NULL : add_section(list, id, line);
        struct piece lines;
        has_next = take_section(&text, &line, &lines, &id);
        enum config_status status = is_global ? read_globals(list, lines, ret_wrong) : CONFIG_OK;
        if (status != CONFIG_OK)
            return status;
        is_global = false;
        if (entry != NULL) {
            entry->text = lines;
            entry_read_text(list, entry);
        }
    } while (has_next);
    return CONFIG_OK;
}

enum config_status entries_begin(struct piece text, struct entry_list *list,
                                 struct config *ret_globals, struct config *ret_config,
                                 struct config_wrong *ret_wrong)
{
    list->globals = ret_globals;
    list->config = ret_config;
    list->count = list->left_out_count = 0;
    list->is_single = false;
    *ret_wrong = (struct config_wrong){0};
    config_set_defaults(ret_globals);
    if (text.length > CONFIG_FILE_LIMIT_BYTES)
        return CONFIG_FILE_TOO_LARGE;
    config_skip_mark(&text);
    return read_sections(text, list, ret_wrong);
}

/* --- Files --- */

static bool is_before(const struct entry_name *name, const struct entry *entry)
{
    bool has_no_tries = entry_name_has_no_tries(name);
    const char *left = name->id;
    const char *right = entry->id;
    if (has_no_tries != entry->has_no_tries)
        return entry->has_no_tries;
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return *left < *right;
}

/* Firmware lists a folder in any order. */
struct entry *entries_add_file(struct entry_list *list, const char *file_name)
{
    struct entry_name name;
    size_t length = text_length(file_name);
    if (length >= ENTRY_FILE_NAME_CAPACITY ||
        !entry_name_parse((struct piece){file_name, length}, &name))
        return NULL;
    struct entry *place = add(list);
    if (place == NULL)
        return NULL;
    for (; place > list->entries && place[-1].file_name[0] != '\0' && is_before(&name, place - 1);
         place--)
        memcpy(place, place - 1, sizeof(*place));
    memset(place, 0, sizeof(*place));
    memcpy(place->id, name.id, sizeof(name.id));
    memcpy(place->file_name, file_name, length);
    place->has_no_tries = entry_name_has_no_tries(&name);
    place->first_line = 1;
    return place;
}

void entry_read_text(struct entry_list *list, struct entry *entry)
{
    if (entry->file_name[0] != '\0') {
        if (entries_find(list, entry->id) != entry)
            entry->status = CONFIG_DUPLICATE_ID;
        if (entry->text.length > CONFIG_FILE_LIMIT_BYTES)
            entry->status = CONFIG_FILE_TOO_LARGE;
        else
            config_skip_mark(&entry->text);
    }
    list->config->title[0] = '\0';
    if (entry->status == CONFIG_OK)
        entry->status = entry_configure(list, entry);
    set_title(entry, list->config->title);
    /* One entry's `tpm` must not count for the next one's file. */
    inherit(list);
}

/* --- The whole list --- */

void entries_finish(struct entry_list *list)
{
    list->is_single = list->count == 0;
    if (!list->is_single)
        return;
    struct entry *entry = add(list);
    memcpy(entry->id, "default", sizeof("default"));
    set_title(entry, list->globals->title);
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
        if (!entry->has_no_tries)
            return entry;
        if (last_choice == NULL)
            last_choice = entry;
    }
    return last_choice;
}

enum config_status entry_configure(const struct entry_list *list, struct entry *entry)
{
    struct config *config = inherit(list);
    config->title[0] = '\0';
    config->unknown_key_count = config->first_unknown_line = 0;
    return config_parse_lines(entry->text, entry->first_line, true, config, &entry->wrong);
}

void entry_describe_error(const struct entry *entry, const char *config_path, char *text,
                          size_t capacity_bytes)
{
    bool has_file = entry->file_name[0] != '\0';
    config_describe_wrong(has_file ? ENTRY_FOLDER "\\" : "",
                          has_file ? entry->file_name : config_path, entry->status, &entry->wrong,
                          text, capacity_bytes);
}
