/*
 * map_reader.h - go through a text line by line, and sort its rows into maps.
 *
 * A text is gone through twice: to see which maps there are, and to read one of them.
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

/* The rows of one form, up to here. */
struct map_list {
    bool is_open;    /* a map has begun */
    bool must_break; /* the next row begins another */
    bool is_table;   /* the line before was a row: this one should be */
    bool has_gap;    /* a blank line stands behind the last row */
    size_t map;      /* its index in the text's maps; MAP_TEXT_MAP_LIMIT: not counted any more */
    struct map_line first;
    struct map_line last;
    uint64_t next_number;     /* Linux: of the row that is expected */
    uint64_t page_counts[16]; /* shell: by EFI type, for the sums */
};

struct map_position {
    struct text_cursor rest;
    unsigned line;      /* the number of the line that was taken last, from 1 */
    unsigned next_line; /* that of the next one: a line may be several of the file */
};

struct map_reader {
    /* What to do. */
    bool reads_data_rows; /* no other form is there */
    bool reads_map;       /* the map `map_index`; else it is only seen which there are */
    size_t map_index;
    enum map_text_form map_form; /* of that one */
    size_t all_map_count;        /* of the whole text, once that is known */
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

/* Go through all lines. False: a line of the map cannot be read, reader->error says why. */
bool map_reader_run(struct map_reader *reader);

/* Find the line that comes closest to a row in a text without rows. reader->error names it. */
void map_reader_explain(struct map_reader *reader);

#endif
