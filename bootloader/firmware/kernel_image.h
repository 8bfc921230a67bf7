/*
 * kernel_image.h - the kernel, from its file to its place in memory.
 */
#ifndef BOOTLOADER_FIRMWARE_KERNEL_IMAGE_H
#define BOOTLOADER_FIRMWARE_KERNEL_IMAGE_H

#include "bootloader/pure/elf.h"
#include "bootloader/firmware/file.h"

struct kernel_image {
    struct elf_plan plan;
    uint64_t physical_base; /* plan.size_bytes bytes: a block of pages of type KERNEL_IMAGE */
};

/* Judge the file completely, then allocate for it, and write its image there.
 * Failures: KERNEL_INVALID, OUT_OF_MEMORY, BAD_ALLOCATION. On failure *ret_image is not written. */
enum loader_error kernel_image_load(const struct file *file, const char *path, struct pages *pages,
                                    struct kernel_image *ret_image, struct loader_failure *failure)
    __attribute__((warn_unused_result));

#endif
