/*
 * kernel_symbols.h - read the symbol table of the kernel's file into a block of its own.
 */
#ifndef BOOTLOADER_FIRMWARE_KERNEL_SYMBOLS_H
#define BOOTLOADER_FIRMWARE_KERNEL_SYMBOLS_H

#include "bootloader/firmware/file.h"
#include "bootloader/firmware/pages.h"
#include "bootloader/pure/kernel_symbols.h"

/* `kernel` is the plan of the file. A file without a table is no failure: then
 * ret_symbols->count is 0. Failures: KERNEL_SYMBOLS, OUT_OF_MEMORY, BAD_ALLOCATION, FILE_READ,
 * FILE_SHORT. On failure *ret_symbols is not written; the blocks are in *pages. */
enum loader_error kernel_symbols_load(const struct file *file, struct pages *pages,
                                      const struct elf_plan *kernel,
                                      struct kernel_symbols *ret_symbols)
    __attribute__((warn_unused_result));

#endif
