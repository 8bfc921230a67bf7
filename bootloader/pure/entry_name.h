/*
 * entry_name.h - the file name of an entry: ID.conf, or with a boot counter ID+LEFT-DONE.conf.
 *
 * The counter is that of the Boot Loader Specification. LEFT is the number of tries that remain, and
 * DONE the number of those that began; without it, it is 0. A loader counts one try before each
 * start. A system that works removes the counter from the name.
 */
#ifndef BOOTLOADER_PURE_ENTRY_NAME_H
#define BOOTLOADER_PURE_ENTRY_NAME_H

#include "bootloader/pure/config.h"

/* ID+LEFT-DONE.conf with the longest ID, two numbers of ten digits, and a NUL. */
#define ENTRY_NAME_CAPACITY (CONFIG_ID_CAPACITY + 27)

struct entry_name {
    char id[CONFIG_ID_CAPACITY];
    bool has_counter;
    unsigned tries_left;
    unsigned tries_done;
};

/* Read an ID (config_is_id()) in UCS-2, with or without a NUL behind it. Return false for another
 * text; then *ret_id is empty. */
bool entry_id_copy_wide(const void *bytes, size_t size_bytes, char ret_id[CONFIG_ID_CAPACITY])
    __attribute__((warn_unused_result));

/* Read a file name. Return false if it is not one of an entry; then *ret_name is undefined. */
bool entry_name_parse(struct piece file_name, struct entry_name *ret_name)
    __attribute__((warn_unused_result));

/* Write the file name. It fits into ENTRY_NAME_CAPACITY bytes. */
void entry_name_format(const struct entry_name *name, char *text, size_t capacity_bytes);

/* Count one try: LEFT is smaller by one, or stays 0, and DONE is larger by one, or stays the largest
 * number. Precondition: the name has a counter. */
void entry_name_use_try(struct entry_name *name);

/* Return whether the counter has reached its end. */
bool entry_name_has_no_tries(const struct entry_name *name);

#endif
