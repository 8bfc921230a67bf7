/*
 * kernel_image.h - load the kernel's file into memory.
 */
#ifndef BOOTLOADER_FIRMWARE_KERNEL_IMAGE_H
#define BOOTLOADER_FIRMWARE_KERNEL_IMAGE_H

#include "bootloader/firmware/file.h"
#include "bootloader/firmware/pages.h"
#include "bootloader/pure/elf.h"
#include "bootloader/pure/elf_note.h"

/* Read and check the headers and the notes.
 *   ret_plan     the segments of the image, and their places
 *   ret_demands  the demands of the notes
 * Failures: KERNEL_INVALID, KERNEL_NOTE, OUT_OF_MEMORY, BAD_ALLOCATION, FILE_READ, FILE_SHORT. */
enum loader_error kernel_image_read_headers(const struct file *file, struct pages *pages,
                                            struct elf_plan *ret_plan,
                                            struct kernel_demands *ret_demands)
    __attribute__((warn_unused_result));

/* Allocate memory for the image, and read each segment straight into its place. So the file is
 * never whole in memory, and no byte is copied.
 *   ret_memory  a block of pages of type KERNEL_IMAGE, aligned as the file demands
 * Failures: OUT_OF_MEMORY, BAD_ALLOCATION, FILE_READ, FILE_SHORT; KERNEL_DAMAGED if the bytes do
 * not have the checksum of the notes. On failure *ret_memory is not written; the blocks are in
 * *pages. */
enum loader_error
kernel_image_load(const struct file *file, struct pages *pages, const struct elf_plan *plan,
                  const struct kernel_demands *demands, struct phys_range *ret_memory)
    __attribute__((warn_unused_result));

#endif
