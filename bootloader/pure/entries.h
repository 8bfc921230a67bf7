/*
 * entries.h - the list of entries, from handoff.conf and from files with one entry each.
 *
 * In handoff.conf a line `entry = ID` begins an entry, and the lines before the first one are
 * global: each entry inherits their values. A file of \handoff\entries holds the lines of one entry,
 * and its name has the ID. Without any entry the global lines are the only one.
 *
 * A wrong line makes its entry broken. A broken entry stays in the list, with its error, and hides
 * no other one.
 *
 * Pure: bytes in, struct out; no allocation, no firmware. Fuzzed by tests/fuzz/fuzz_entries.c.
 */
#ifndef BOOTLOADER_PURE_ENTRIES_H
#define BOOTLOADER_PURE_ENTRIES_H

#include "bootloader/pure/config.h"
#include "bootloader/pure/error.h"

#define ENTRY_FOLDER             "\\handoff\\entries"
#define ENTRY_LIMIT              256
#define ENTRY_FILE_NAME_CAPACITY 96

/* Small fields come first, because shorter instructions reach them. */
struct entry {
    enum config_status status; /* CONFIG_OK: it can be tried */
    enum loader_error error;   /* of the last start that failed; LOADER_OK: none */
    struct piece text;         /* its lines */
    unsigned first_line;
    bool has_no_tries;           /* the boot counter in the name of its file has reached its end */
    struct config_wrong wrong;   /* of a status that is not CONFIG_OK */
    char id[CONFIG_ID_CAPACITY]; /* empty if handoff.conf has a wrong one */
    char file_name[ENTRY_FILE_NAME_CAPACITY]; /* in \handoff\entries; empty: from handoff.conf */
    char title[CONFIG_TITLE_CAPACITY];        /* its `title`, or else the ID; never empty */
};

struct entry_list {
    struct config *globals; /* the values that every entry inherits */
    struct config *config;  /* of the entry that entry_configure() has read */
    unsigned count;
    unsigned left_out_count; /* above ENTRY_LIMIT */
    bool is_single;          /* no entry was found: the global lines are the only one */
    struct entry entries[ENTRY_LIMIT];
};

/* Begin the list with the entries of a handoff.conf, and read its global lines over the defaults. An
 * empty text means that there is no file.
 *   text         stays in memory as long as the list
 *   ret_globals  list->globals: the values that every entry inherits
 *   ret_config   list->config, with the values of the global lines
 * On failure the global lines have an error at *ret_wrong, and the list is empty. */
enum config_status entries_begin(struct piece text, struct entry_list *list,
                                 struct config *ret_globals, struct config *ret_config,
                                 struct config_wrong *ret_wrong)
    __attribute__((warn_unused_result));

/* Add an entry that has a file, behind those of handoff.conf. Such entries are sorted by their IDs,
 * and those without tries come last. So pointers to other entries become wrong. Return NULL if the
 * list is full, or if the name is not that of an entry. The text comes later. */
struct entry *entries_add_file(struct entry_list *list, const char *file_name);

/* Check an entry whose text has been set, and take its title from there. Afterwards *list->config
 * has the values of the global lines. */
void entry_read_text(struct entry_list *list, struct entry *entry);

/* Complete a list without an entry by the one of the global lines. */
void entries_finish(struct entry_list *list);

/* Return the entry with this ID, or NULL. */
struct entry *entries_find(struct entry_list *list, const char *id);

/* Return whether the entry has no error. */
bool entry_is_good(const struct entry *entry);

/* Return the first good entry, or NULL. Those without tries are the last choice. */
struct entry *entries_first_good(struct entry_list *list);

/* Write the values of an entry to *list->config: those of its lines, over the global ones. Return
 * CONFIG_OK if its status is that. */
enum config_status entry_configure(const struct entry_list *list, struct entry *entry);

/* Write the error of a broken entry in one sentence: file, line, key, and the error. */
void entry_describe_error(const struct entry *entry, const char *config_path, char *text,
                          size_t capacity_bytes);

#endif
