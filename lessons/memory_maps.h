/*
 * memory_maps.h - the maps of lesson 1, the right answers, and the answers of typical mistakes.
 */
#ifndef LESSONS_MEMORY_MAPS_H
#define LESSONS_MEMORY_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/memory_row.h"

#define MEMORY_MAP_ROW_LIMIT    24
#define MEMORY_MAP_FIXED_COUNT  9u
#define MEMORY_MAP_RANDOM_COUNT 6u

struct memory_map {
    const char *title;
    uint64_t row_count;
    struct memory_row rows[MEMORY_MAP_ROW_LIMIT];
};

/* What a wrong answer can come from. One answer is computed for each of these. */
enum map_mistake {
    MAP_NO_MISTAKE,
    MAP_COUNTS_PAGES,
    MAP_ONLY_CONVENTIONAL,
    MAP_EVERY_TYPE,
    MAP_MISSES_FIRST_ROW,
    MAP_MISSES_LAST_ROW,
    MAP_READS_BEHIND,
    MAP_COUNTS_BROKEN_ROWS,
    MAP_COUNTS_ROWS_THAT_WRAP,
    MAP_STOPS_AT_EMPTY_ROW,
    MAP_STOPS_AT_BROKEN_ROW,
    MAP_32_BITS,
    MAP_32_BIT_ROWS,
    MAP_MISTAKE_FOR_RUNS, /* those below concern only the largest run; the most likely is last */
    MAP_LAST_RUN = MAP_MISTAKE_FOR_RUNS,
    MAP_FIRST_RUN,
    MAP_FORGETS_LAST_RUN,
    MAP_JOINS_ACROSS_GAPS,
    MAP_JOINS_NEIGHBOURS_IN_ARRAY,
    MAP_SINGLE_ROWS,
    MAP_EMPTY_ROW_SPLITS,
    MAP_MISTAKE_COUNT
};

/* Whether the kernel may use the type after the end of boot services, and the type's name. */
bool memory_map_type_is_usable(uint32_t type);
const char *memory_map_type_name(uint32_t type);

/* Write map `index` of MEMORY_MAP_FIXED_COUNT + MEMORY_MAP_RANDOM_COUNT. */
void memory_map_make(unsigned index, struct memory_map *ret_map);

/* A row that stands before the first and behind the last: no reader should look at it. */
struct memory_row memory_map_stranger(void);

uint64_t memory_map_usable_bytes(const struct memory_map *map, enum map_mistake mistake);
struct memory_run memory_map_largest_run(const struct memory_map *map, enum map_mistake mistake);

#endif
