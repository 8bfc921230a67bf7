/*
 * firmware.h - the way to the firmware, and its end.
 *
 * A function of this folder that fails notes why in firmware->failure, and returns the error's
 * number.
 *
 * Every call of a boot service goes through struct firmware. After the first call of
 * ExitBootServices() no boot service may be called (UEFI 2.10, section 7.4.6). firmware_seal() then
 * replaces the pointer by a non-canonical one. A call by mistake faults, and the loader's fault
 * handlers report it; it does not run through freed memory.
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
    struct loader_failure *failure; /* gets the reason of every failure */
};

/* Fill *ret_firmware from the arguments of the entry point, and disable the firmware's watchdog,
 * which would reset the machine five minutes later (UEFI 2.10, section 7.5.1). Returns the status
 * of SetWatchdogTimer: a failure is a warning, not an error. */
EFI_STATUS firmware_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table,
                          struct loader_failure *failure, struct firmware *ret_firmware);

/* Find the loaded-image protocol of the loader itself.
 * Failure: LOADER_ERROR_NO_LOADED_IMAGE. */
enum loader_error firmware_find_image(struct firmware *firmware)
    __attribute__((warn_unused_result));

void firmware_seal(struct firmware *firmware);
bool firmware_is_sealed(const struct firmware *firmware);

#endif
