/*
 * program.h - start another EFI application, from the loader's volume.
 */
#ifndef BOOTLOADER_FIRMWARE_PROGRAM_H
#define BOOTLOADER_FIRMWARE_PROGRAM_H

#include "bootloader/firmware/file.h"

struct program {
    const char *path;
    EFI_HANDLE image;
};

/* Load the application in `file`, which is kept in memory (file_keep()), and may be closed
 * afterwards. `options` are its load options; empty for none. Failure: PROGRAM_REFUSED, also if Secure Boot does
 * not trust the application. */
enum loader_error program_load(const struct file *file, const char *options,
                               struct program *ret_program) __attribute__((warn_unused_result));

/* Start it. It may never return. Failure: PROGRAM_FAILED if it returns an error. */
enum loader_error program_start(const struct program *program) __attribute__((warn_unused_result));

#endif
