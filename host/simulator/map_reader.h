/*
 * map_reader.h - read a text line by line, and sort its rows into maps. A text is read twice: first
 * to find its maps, and then to read one of them.
 */
#ifndef HOST_SIMULATOR_MAP_READER_H
#define HOST_SIMULATOR_MAP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/simulator/map_lines.h"
#include "host/simulator/map_sysfs.h"
#include "host/simulator/map_text.h"

#define MAP_READER_JOINED_BYTES_MAX 512

/* The rows of one form so far. */
struct map_list {
    bool is_open;    /* a map has begun */
    bool must_break; /* the next row begins another map */
    bool is_table;   /* the line before was a row, so this line should be a row */
    bool has_gap;    /* a blank line follows the last row */
    size_t map;      /* its index in the text's maps; MAP_TEXT_MAP_LIMIT: it is not counted */
    struct map_line first;
    struct map_line last;
    uint64_t next_number;     /* Linux: of the expected row */
    uint64_t page_counts[16]; /* shell: by EFI type, for the sums */
};

struct map_position {
    struct text_cursor rest;
    unsigned line;      /* the number of the last line, from 1 */
    unsigned next_line; /* the number of the next line: a line may be several lines of the file */
};

struct map_reader {
    /* What to do. */
    bool reads_data_rows; /* the text has no other form */
    bool reads_map;       /* read the map `map_index`; otherwise only find the maps */
    size_t map_index;
    enum map_text_form map_form; /* of that one */
    size_t all_map_count;        /* of the whole text, when it is known */
    struct memory_map_descriptor *rows;
    size_t row_capacity;
    /* Where it is. */
    struct map_position position;
    uint64_t latest_time_us;
    struct map_list lists[MAP_TEXT_FORM_COUNT];
    struct map_sysfs sysfs;
    char joined[MAP_READER_JOINED_BYTES_MAX];
    bool is_done; /* another map of the form has begun */
    /* What came out. */
    struct map_text map;
    struct map_text_note error;
};

/* Set the reader to the start of the text. */
void map_reader_begin(struct map_reader *reader, const char *text, size_t size_bytes);

/* Read all lines. Return false if a line of the map cannot be read; reader->error has the
 * reason. */
bool map_reader_run(struct map_reader *reader);

/* Find the line that is most like a row in a text without rows. reader->error names it. */
void map_reader_explain(struct map_reader *reader);

#endif
