/*
 * kernel_image.h - load the kernel's file into memory.
 */
#ifndef BOOTLOADER_FIRMWARE_KERNEL_IMAGE_H
#define BOOTLOADER_FIRMWARE_KERNEL_IMAGE_H

#include "bootloader/firmware/file.h"
#include "bootloader/pure/elf.h"

/* Check the whole file, then allocate memory for the image, and write the image there.
 *   ret_plan    the segments of the image, and their places
 *   ret_memory  a block of pages of type KERNEL_IMAGE
 * Failures: KERNEL_INVALID, OUT_OF_MEMORY, BAD_ALLOCATION. On failure *ret_memory is not written.
 */
enum loader_error kernel_image_load(const struct file *file, const char *path, struct pages *pages,
                                    struct elf_plan *ret_plan, struct phys_range *ret_memory)
    __attribute__((warn_unused_result));

#endif
