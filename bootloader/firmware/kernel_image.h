/*
 * kernel_image.h - load the kernel's file into memory.
 */
#ifndef BOOTLOADER_FIRMWARE_KERNEL_IMAGE_H
#define BOOTLOADER_FIRMWARE_KERNEL_IMAGE_H

#include "bootloader/firmware/file.h"
#include "bootloader/firmware/pages.h"
#include "bootloader/pure/elf.h"

/* Read and check the headers, then allocate memory for the image, and read each segment straight into
 * its place. So the file is never whole in memory, and no byte is copied.
 *   ret_plan    the segments of the image, and their places
 *   ret_memory  a block of pages of type KERNEL_IMAGE, aligned as the file demands
 * Failures: KERNEL_INVALID, OUT_OF_MEMORY, BAD_ALLOCATION, FILE_READ, FILE_SHORT. On failure
 * *ret_memory is not written; the blocks are in *pages.
 */
enum loader_error kernel_image_load(const struct file *file, struct pages *pages,
                                    struct elf_plan *ret_plan, struct phys_range *ret_memory)
    __attribute__((warn_unused_result));

#endif
