/*
 * own_folder.h - the folder of the loader's own file.
 */
#ifndef BOOTLOADER_FIRMWARE_OWN_FOLDER_H
#define BOOTLOADER_FIRMWARE_OWN_FOLDER_H

#include "bootloader/firmware/firmware.h"

/* Write the folder's path, without a backslash at the end: `\EFI\BOOT`, or an empty text for the
 * root. Return false if the firmware names no file, or if the path has a character outside of
 * printable ASCII, or if it is longer than the capacity. Then the text is undefined. */
bool own_folder_find(char *path, size_t capacity_bytes) __attribute__((warn_unused_result));

#endif
