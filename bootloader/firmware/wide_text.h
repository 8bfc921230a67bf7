/*
 * wide_text.h - ASCII text as the firmware wants it, in UCS-2 (UEFI 2.10, section 2.3.1).
 */
#ifndef BOOTLOADER_FIRMWARE_WIDE_TEXT_H
#define BOOTLOADER_FIRMWARE_WIDE_TEXT_H

#include "bootloader/firmware/efi.h"

/* Write `text` with its NUL; a longer text is cut. Return the size in bytes, with the NUL.
 * Precondition: `capacity` is not 0. */
size_t wide_text(const char *text, CHAR16 *wide, size_t capacity);

#endif
