/*
 * boot_variable.h - EFI variables of the Boot Loader Interface, by which the loader and an operating
 * system tell each other which entry starts. Their texts are UTF-16; here they are ASCII.
 *
 * Only before the exit of boot services.
 */
#ifndef BOOTLOADER_FIRMWARE_BOOT_VARIABLE_H
#define BOOTLOADER_FIRMWARE_BOOT_VARIABLE_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/entry_name.h"

/* 200 IDs of 39 characters. EDK II takes variables of 32 KiB. */
#define BOOT_VARIABLE_TEXT_CAPACITY 8192

/* Read an entry's ID. It becomes empty if there is no variable, or if its text is no ID.
 * Return false only for a text that is no ID. */
bool boot_variable_read_id(const char *name, char ret_id[CONFIG_ID_CAPACITY]);

/* Write `size_bytes` bytes. Only with `is_kept` the variable is there after a reset. */
EFI_STATUS boot_variable_write(const char *name, bool is_kept, const void *bytes,
                               size_t size_bytes);

/* Write one text or several, each with its NUL. `size_bytes` counts the characters and the NULs, and
 * is at most BOOT_VARIABLE_TEXT_CAPACITY. */
EFI_STATUS boot_variable_write_text(const char *name, bool is_kept, const char *text,
                                    size_t size_bytes);

/* Remove a variable. */
EFI_STATUS boot_variable_delete(const char *name);

#endif
