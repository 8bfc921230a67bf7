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

/* The attributes of the firmware (UEFI 2.10, section 8.2). Runtime access lets an operating system read
 * the variable. */
enum boot_variable_kind {
    BOOT_VARIABLE_REMOVED = 0,
    /* until the next reset */
    BOOT_VARIABLE_VOLATILE = EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
    BOOT_VARIABLE_KEPT = BOOT_VARIABLE_VOLATILE | EFI_VARIABLE_NON_VOLATILE,
};

/* Read an entry's ID. It becomes empty if there is no variable, or if its text is no ID.
 * Return false only for a text that is no ID. */
bool boot_variable_read_id(const char *name, char ret_id[CONFIG_ID_CAPACITY]);

/* Write `size_bytes` bytes, or remove the variable. */
EFI_STATUS boot_variable_write(const char *name, enum boot_variable_kind kind, const void *bytes,
                               size_t size_bytes);

#endif
