/*
 * file.h - read files from the volume that the loader was started from. No other volume is
 * used: a second system partition in the machine must not change the boot.
 */
#ifndef BOOTLOADER_FIRMWARE_FILE_H
#define BOOTLOADER_FIRMWARE_FILE_H

#include "bootloader/firmware/pages.h"
#include "bootloader/pure/entries.h"

struct volume {
    EFI_FILE_HANDLE root;
};

/* Open the volume. Failures: NO_VOLUME; NETWORK_START if the device is a network card. */
enum loader_error volume_open(struct volume *ret_volume) __attribute__((warn_unused_result));

void volume_close(struct volume *volume);

/* An open file. */
struct file {
    EFI_FILE_HANDLE handle;
    const char *path; /* the caller's; it outlives the file */
    uint64_t size_bytes;
    bool is_kept;         /* by file_keep(): file_close() frees the block of `bytes` */
    const uint8_t *bytes; /* the whole file in memory, or NULL: on the volume only */
};

/* Open the file at `path` (ASCII, '\' between names). Failures, in the order of the checks:
 * FILE_NOT_FOUND; FILE_OPEN (and GetInfo); FILE_IS_DIRECTORY; FILE_EMPTY; FILE_TOO_LARGE (above
 * `limit_bytes`). On failure nothing stays open, and *ret_file is not written. */
enum loader_error file_open(const struct volume *volume, const char *path, uint64_t limit_bytes,
                            struct file *ret_file) __attribute__((warn_unused_result));

/* Read the whole file into a block of pages of type LOADER, which file_close() frees. From then on file_read()
 * copies from there: a volume that gives other bytes at a second reading changes nothing any more.
 * Failures: as file_read(), OUT_OF_MEMORY, BAD_ALLOCATION. */
enum loader_error file_keep(struct file *file, struct pages *pages)
    __attribute__((warn_unused_result));

/* Read `size_bytes` bytes from `offset` on. A long read shows its progress. Precondition: they lie
 * within file->size_bytes. Failures:
 * FILE_READ (device error, or it cannot seek); FILE_SHORT (the file ends before the size in its
 * directory). Then the content of `bytes` is undefined. */
enum loader_error file_read(const struct file *file, uint64_t offset, void *bytes,
                            uint64_t size_bytes) __attribute__((warn_unused_result));

/* Read a part into a new block of pages of type LOADER, which the caller frees. Precondition: as
 * file_read(). Failures: as file_read(), OUT_OF_MEMORY, BAD_ALLOCATION. Then there is no block. */
enum loader_error file_read_block(const struct file *file, struct pages *pages, uint64_t offset,
                                  uint64_t size_bytes, struct phys_range *ret_block)
    __attribute__((warn_unused_result));

/* Close it. The bytes of file_keep(), which took them from `pages`, are gone then. */
void file_close(const struct file *file, struct pages *pages);

/* A file or a folder in a folder. */
struct folder_row {
    char name[ENTRY_FILE_NAME_CAPACITY]; /* '?' for a character outside of ASCII; cut if longer */
    bool is_folder;
    uint64_t size_bytes;
};

/* Open a folder, to list it. Failures: FILE_NOT_FOUND, FILE_OPEN. */
enum loader_error folder_open(const struct volume *volume, const char *path,
                              EFI_FILE_HANDLE *ret_folder) __attribute__((warn_unused_result));

/* Read the next row. Return false at the end, and if the firmware fails. */
bool folder_next(EFI_FILE_HANDLE folder, struct folder_row *ret_row);

/* Give the file at `path` another name, in the same folder. The medium has the new name when this
 * returns. Failure: BOOT_COUNTER. */
enum loader_error file_rename(const struct volume *volume, const char *path, const char *new_name)
    __attribute__((warn_unused_result));

#endif
