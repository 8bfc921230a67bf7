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

enum entry_kind { ENTRY_KERNEL = 0, ENTRY_EFI };

struct entry {
    char id[CONFIG_ID_CAPACITY];              /* empty if handoff.conf has a wrong one */
    char title[CONFIG_TITLE_CAPACITY];        /* its `title`, or else the ID; never empty */
    char file_name[ENTRY_FILE_NAME_CAPACITY]; /* in \handoff\entries; empty: from handoff.conf */
    bool has_counter;                         /* of boots, in the name of the file */
    unsigned tries_left;
    struct piece text; /* its lines */
    unsigned first_line;
    enum entry_kind kind;
    enum config_status status; /* CONFIG_OK: it can be tried */
    struct config_wrong wrong; /* of another status */
    enum loader_error error;   /* of the last start that failed; LOADER_OK: none */
};

struct entry_list {
    unsigned count;
    unsigned left_out_count; /* above ENTRY_LIMIT */
    bool is_single;          /* no entry was found: the global lines are the only one */
    struct entry entries[ENTRY_LIMIT];
};

/* Begin the list with the entries of a handoff.conf, and read its global lines over the defaults. An
 * empty text means that there is no file.
 *   text         stays in memory as long as the list
 *   ret_globals  the values that every entry inherits
 *   scratch      its content is undefined afterwards
 * On failure the global lines have an error at *ret_wrong, and the list is empty. */
enum config_status entries_begin(struct piece text, struct entry_list *list,
                                 struct config *ret_globals, struct config *scratch,
                                 struct config_wrong *ret_wrong)
    __attribute__((warn_unused_result));

/* Add an entry that has a file, behind those of handoff.conf. Such entries are sorted by their IDs,
 * and those without tries come last. So pointers to other entries become wrong. Return NULL if the
 * list is full, or if the name is not that of an entry. The text comes later, by entry_set_text(). */
struct entry *entries_add_file(struct entry_list *list, const char *file_name);

/* Set the text of an entry, and check it. */
void entry_set_text(struct entry_list *list, struct entry *entry, struct piece text,
                    const struct config *globals, struct config *scratch);

/* Complete a list without an entry by the one of the global lines. */
void entries_finish(struct entry_list *list, const struct config *globals);

/* Return the entry with this ID, or NULL. */
struct entry *entries_find(struct entry_list *list, const char *id);

/* Return whether the entry has no error. */
bool entry_is_good(const struct entry *entry);

/* Return whether its boot counter has reached its end. */
bool entry_has_no_tries(const struct entry *entry);

/* Return the first good entry, or NULL. Those without tries are the last choice. */
struct entry *entries_first_good(struct entry_list *list);

/* Write the values of an entry: those of its lines, over the global ones. Precondition: its status is
 * CONFIG_OK. */
void entry_configure(const struct entry *entry, const struct config *globals,
                     struct config *ret_config);

/* Write the error of a broken entry in one sentence: file, line, key, and the error. */
void entry_describe_error(const struct entry *entry, const char *config_path, char *text,
                          size_t capacity_bytes);

#endif
