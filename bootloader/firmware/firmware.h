/*
 * firmware.h - access to the firmware, and the end of this access.
 *
 * A function of this folder that fails stores the reason in last_failure, and returns the
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

/* There is one firmware. */
struct firmware {
    EFI_HANDLE image;
    EFI_SYSTEM_TABLE *system_table;
    EFI_BOOT_SERVICES *services;
    EFI_LOADED_IMAGE *loaded_image; /* NULL until firmware_find_image() */
};
extern struct firmware firmware;

/* Of UEFI, for more than one file. */
extern const EFI_GUID guid_device_path;
extern const EFI_GUID guid_global_variable;
extern const EFI_GUID guid_graphics_output;
extern const EFI_GUID guid_loaded_image;

/* Fill `firmware` from the arguments of the entry point, and disable the firmware's watchdog.
 * The watchdog would reset the machine after five minutes (UEFI 2.10, section 7.5.1). Return the
 * status of SetWatchdogTimer: a failure is a warning, not an error. */
EFI_STATUS firmware_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* Find the loaded-image protocol of the loader itself.
 * Failure: LOADER_ERROR_NO_LOADED_IMAGE. */
enum loader_error firmware_find_image(void) __attribute__((warn_unused_result));

/* Find the interface of a protocol on a handle. It may be NULL, also if the firmware has it. */
EFI_STATUS firmware_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void **ret_interface);

/* Find the only interface of a protocol. Return NULL if the firmware has none. */
void *firmware_service(const EFI_GUID *guid);

void firmware_seal(void);
bool firmware_is_sealed(void);

#endif
