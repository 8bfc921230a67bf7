/*
 * map_sysfs.h - /sys/firmware/memmap, whose rows are spread over three files each, as people print
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

/* Zeros to begin with. */
struct map_sysfs {
    struct map_sysfs_entry entries[MAP_SYSFS_ENTRY_LIMIT];
    size_t entry_count;
    size_t latest; /* the entry that was written last: the next line is most likely of it */
    bool awaits_value;
    enum map_sysfs_file awaited_file;
    uint64_t awaited_number;
    uint64_t numbers[2]; /* the lines before, if they were nothing but a number each */
    unsigned number_count;
};

enum map_sysfs_result {
    MAP_SYSFS_OTHER,   /* a line of something else */
    MAP_SYSFS_TAKEN,   /* a part of a row */
    MAP_SYSFS_ROW,     /* the last part of a row: *ret_line has it */
    MAP_SYSFS_NEW_MAP, /* a part of a row that contradicts those before: another map begins */
};

/* Take a line. *ret_problem is NULL unless the row is complete and makes no sense. */
enum map_sysfs_result map_sysfs_take(struct map_sysfs *sysfs, struct text_cursor line,
                                     struct map_line *ret_line, const char **ret_problem);

/* True if a row began and was never completed. */
bool map_sysfs_lacks_parts(const struct map_sysfs *sysfs);

#endif
