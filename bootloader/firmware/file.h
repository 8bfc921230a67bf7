/*
 * file.h - read whole files from the volume that the loader was started from. No other volume is
 * used: a second system partition in the machine must not change the boot.
 */
#ifndef BOOTLOADER_FIRMWARE_FILE_H
#define BOOTLOADER_FIRMWARE_FILE_H

#include "bootloader/firmware/pages.h"

struct volume {
    EFI_FILE_HANDLE root;
    const struct firmware *firmware;
};

/* Open the volume. Failure: LOADER_ERROR_NO_VOLUME. */
enum loader_error volume_open(const struct firmware *firmware, struct volume *ret_volume)
    __attribute__((warn_unused_result));

void volume_close(struct volume *volume);

struct file {
    struct phys_range block; /* of pages of type LOADER, freed by file_free() */
    const void *bytes;
    uint64_t size_bytes;
};

/* Read the whole file at `path` (ASCII, '\' between names). Failures, in the order of the checks:
 * FILE_NOT_FOUND; FILE_OPEN (and GetInfo); FILE_IS_DIRECTORY; FILE_EMPTY; FILE_TOO_LARGE (above
 * `limit_bytes`; nothing is allocated before this check). Then OUT_OF_MEMORY; FILE_READ (device
 * error); FILE_SHORT (the file ends before the size in its directory). On failure nothing stays
 * allocated, and *ret_file is not written. */
enum loader_error file_read(const struct volume *volume, struct pages *pages, const char *path,
                            uint64_t limit_bytes, struct file *ret_file)
    __attribute__((warn_unused_result));

void file_free(struct pages *pages, const struct file *file);

#endif
