/*
 * loader_image.h - the loader's own PE image, section by section.
 *
 * The code that switches page tables and the fault handlers must be mapped on both sides of the
 * switch. Their permissions come from the section headers that the firmware loaded with the image
 * (PE format, "Section Table"), so no page of it is ever writable and executable.
 */
#ifndef BOOTLOADER_FIRMWARE_LOADER_IMAGE_H
#define BOOTLOADER_FIRMWARE_LOADER_IMAGE_H

#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/firmware/firmware.h"

#define LOADER_IMAGE_SECTION_LIMIT 8

struct loader_image {
    uint64_t base; /* physical, page-aligned */
    uint64_t size_bytes;
    struct bootstrap_section sections[LOADER_IMAGE_SECTION_LIMIT];
    size_t section_count;
};

/* Read the headers in memory. Failure: BAD_LOADER_IMAGE; *ret_image is then not written. */
enum loader_error loader_image_read(const struct firmware *firmware, struct loader_image *ret_image,
                                    struct loader_failure *failure)
    __attribute__((warn_unused_result));

#endif
