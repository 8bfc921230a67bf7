/*
 * firmware.h - access to the firmware, and the end of this access.
 *
 * A function of this folder that fails stores the reason in firmware->failure, and returns the
 * number of the error.
 *
 * All calls of boot services go through struct firmware. No boot service may be called after the
 * first call of ExitBootServices() (UEFI 2.10, section 7.4.6). So firmware_seal() replaces the
 * pointer by a non-canonical one. A wrong call then faults, and the loader's fault handlers report
 * it. Without this, it would run through freed memory.
 */
#ifndef BOOTLOADER_FIRMWARE_FIRMWARE_H
#define BOOTLOADER_FIRMWARE_FIRMWARE_H

#include <stdbool.h>

#include "bootloader/firmware/efi.h"
#include "bootloader/pure/error.h"

struct firmware {
    EFI_HANDLE image;
    EFI_SYSTEM_TABLE *system_table;
    EFI_BOOT_SERVICES *services;
    EFI_LOADED_IMAGE *loaded_image; /* NULL until firmware_find_image() */
    struct loader_failure *failure; /* the reason for the last failure */
};

/* Fill *ret_firmware from the arguments of the entry point, and disable the firmware's watchdog.
 * The watchdog would reset the machine after five minutes (UEFI 2.10, section 7.5.1). Return the
 * status of SetWatchdogTimer: a failure is a warning, not an error. */
EFI_STATUS firmware_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table,
                          struct loader_failure *failure, struct firmware *ret_firmware);

/* Find the loaded-image protocol of the loader itself.
 * Failure: LOADER_ERROR_NO_LOADED_IMAGE. */
enum loader_error firmware_find_image(struct firmware *firmware)
    __attribute__((warn_unused_result));

void firmware_seal(struct firmware *firmware);
bool firmware_is_sealed(const struct firmware *firmware);

#endif
