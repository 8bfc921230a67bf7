/*
 * image.h - the ELF segments of the probe itself, from its linker script.
 */
#ifndef PROBE_IMAGE_H
#define PROBE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct image_segment {
    uint64_t start;
    uint64_t file_end; /* the file has no bytes from here to `end` */
    uint64_t end;
    bool write;
    bool execute;
};

#define IMAGE_SEGMENT_COUNT 3
void image_segments(struct image_segment segments[IMAGE_SEGMENT_COUNT]);

/* Return the entry point of the ELF header. */
uint64_t image_entry(void);

/* The bounds of the image, in whole pages. */
uint64_t image_start(void);
uint64_t image_end(void);

#endif
