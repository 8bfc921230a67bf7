/*
 * variable.h - read EFI variables; the one that can keep a boot record; the state of Secure Boot.
 *
 * The boot record's variable is HandoffPostMortem, with a GUID of its own. It always has
 * POST_MORTEM_SLOT_SIZE_BYTES bytes.
 *
 * The firmware keeps variables in flash, which wears out, and some machines do not start any more
 * when the flash is full. So the loader writes the variable only if a user asks for it, only if the
 * content changes, and only if enough space remains. Only before the exit of boot services.
 */
#ifndef BOOTLOADER_FIRMWARE_VARIABLE_H
#define BOOTLOADER_FIRMWARE_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "bootloader/firmware/firmware.h"

/* This much variable space must remain behind a write. */
#define VARIABLE_SPACE_KEPT_BYTES 5120

/* Read any variable. Those that the specification defines have guid_global_variable. *size_bytes is
 * the room, and then the variable's size. */
EFI_STATUS variable_get(const CHAR16 *name, const EFI_GUID *guid, void *bytes, UINTN *size_bytes);

/* Return true if the firmware starts only signed programs (UEFI 2.10, section 3.3). */
bool variable_is_secure_boot_on(void);

/* Read HandoffPostMortem. *size_bytes is the room, and then the variable's size. Return the
 * firmware's status: EFI_NOT_FOUND without a variable, EFI_BUFFER_TOO_SMALL if it is too large. */
EFI_STATUS variable_read(void *bytes, size_t *size_bytes);

/* Return NULL if a variable of this size may be written, else the obstacle, a constant clause. */
const char *variable_obstacle(size_t size_bytes);

/* Write it. Precondition: variable_obstacle() found none. */
EFI_STATUS variable_write(void *bytes, size_t size_bytes);

#endif
