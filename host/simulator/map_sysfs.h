/*
 * map_sysfs.h - read /sys/firmware/memmap, which has three files for each row, as commands print
 * it:
 *
 *   /sys/firmware/memmap/0/start:0x0     grep -r . /sys/firmware/memmap; also 0/start:0x0
 *   ==> 0/start <==                      head, tail, more: the value is on the next line
 *   0x0                                  cat: first and last byte in either order, then the type
 *   0x9fbff
 *   System RAM
 */
#ifndef HOST_SIMULATOR_MAP_SYSFS_H
#define HOST_SIMULATOR_MAP_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/simulator/map_lines.h"
#include "host/simulator/text_cursor.h"

/* More entries than any firmware's E820 list has. */
#define MAP_SYSFS_ENTRY_LIMIT 1024

enum map_sysfs_file { MAP_SYSFS_START, MAP_SYSFS_END, MAP_SYSFS_TYPE, MAP_SYSFS_FILE_COUNT };

struct map_sysfs_entry {
    uint64_t number;
    uint64_t values[MAP_SYSFS_FILE_COUNT];
    unsigned known; /* a bit for each file */
};

/* It begins as zeros. */
struct map_sysfs {
    struct map_sysfs_entry entries[MAP_SYSFS_ENTRY_LIMIT];
    size_t entry_count;
    size_t latest; /* the entry that was written last: the next line probably belongs to it */
    bool awaits_value;
    enum map_sysfs_file awaited_file;
    uint64_t awaited_number;
    uint64_t numbers[2]; /* the lines before, if each had only a number */
    unsigned number_count;
};

enum map_sysfs_result {
    MAP_SYSFS_OTHER,   /* another line */
    MAP_SYSFS_TAKEN,   /* a part of a row */
    MAP_SYSFS_ROW,     /* the last part of a row: *ret_line has the row */
    MAP_SYSFS_NEW_MAP, /* a part of a row that contradicts the parts before: another map begins */
};

/* Take a line. *ret_problem is NULL unless the row is complete and invalid. */
enum map_sysfs_result map_sysfs_take(struct map_sysfs *sysfs, struct text_cursor line,
                                     struct map_line *ret_line, const char **ret_problem);

/* Return true if a row began and was not completed. */
bool map_sysfs_lacks_parts(const struct map_sysfs *sysfs);

#endif
