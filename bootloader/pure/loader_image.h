/*
 * loader_image.h - read the sections of the loader's PE image.
 *
 * The code that switches page tables, and the fault handlers, must be mapped before and after the
 * switch. Their permissions come from the section headers that the firmware loaded with the image
 * (PE format, "Section Table"). So no page of the image is writable and executable. Pure: bytes in,
 * struct out.
 */
#ifndef BOOTLOADER_PURE_LOADER_IMAGE_H
#define BOOTLOADER_PURE_LOADER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/range.h"
#include "shared/text/piece.h"

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
    struct piece enrolled; /* the text of the section .hashes; empty without one (enrolment.h) */
};

/* Read the headers of the image at `memory`; `bytes` points to its bytes. On success write
 * *ret_image and return NULL. Otherwise return the name of the part that this project's linker does
 * not make so. Nothing outside of the image is read. */
const char *loader_image_read(struct phys_range memory, const void *bytes,
                              struct loader_image *ret_image) __attribute__((warn_unused_result));

#endif
