/*
 * loader_image.h - the loader's own PE image, section by section.
 *
 * The code that switches page tables and the fault handlers must be mapped on both sides of the
 * switch. Their permissions come from the section headers that the firmware loaded with the image
 * (PE format, "Section Table"), so no page of it is ever writable and executable. Pure: bytes in,
 * struct out.
 */
#ifndef BOOTLOADER_PURE_LOADER_IMAGE_H
#define BOOTLOADER_PURE_LOADER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/range.h"

#define LOADER_IMAGE_SECTION_LIMIT 8

struct loader_section {
    struct phys_range memory; /* page-aligned */
    bool write;
    bool execute;
};

struct loader_image {
    struct phys_range memory; /* page-aligned */
    struct loader_section sections[LOADER_IMAGE_SECTION_LIMIT];
    size_t section_count;
};

/* Read the headers of the image that lies at `memory`; `bytes` is where it can be read. On success
 * *ret_image is written and NULL is returned; otherwise which part of it is not as this project's
 * linker makes it. Never reads outside of the image. */
const char *loader_image_read(struct phys_range memory, const void *bytes,
                              struct loader_image *ret_image) __attribute__((warn_unused_result));

#endif
