/*
 * image.h - the probe's own ELF segments, from its linker script.
 */
#ifndef PROBE_IMAGE_H
#define PROBE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct image_segment {
    uint64_t start;
    uint64_t file_end; /* from here to `end` the file has no bytes */
    uint64_t end;
    bool write;
    bool execute;
};

#define IMAGE_SEGMENT_COUNT 3
void image_segments(struct image_segment segments[IMAGE_SEGMENT_COUNT]);

/* What the ELF header names as the entry point. */
uint64_t image_entry(void);

/* The image in whole pages. */
uint64_t image_start(void);
uint64_t image_end(void);

#endif
