/*
 * efi.h - the firmware's types, from gnu-efi's headers. The only file that includes them.
 *
 * gnu-efi's eficompiler.h defines __attribute__ away for Microsoft-compatible targets, which
 * clang's targets for UEFI are. Attributes would then vanish without a warning, so the macro is
 * removed again. The assertions below fail if that, or a layout, is wrong.
 */
#ifndef BOOTLOADER_FIRMWARE_EFI_H
#define BOOTLOADER_FIRMWARE_EFI_H

#include <efi.h>

#undef __attribute__

#include <stddef.h>

_Static_assert(sizeof(void *) == 8, "64-bit firmware only");
_Static_assert(sizeof(CHAR16) == 2, "UEFI text is UTF-16: compile with -fshort-wchar");
_Static_assert(sizeof(EFI_TABLE_HEADER) == 24, "UEFI 2.10, section 4.2");
_Static_assert(offsetof(EFI_SYSTEM_TABLE, BootServices) == 96, "UEFI 2.10, section 4.3");
_Static_assert(offsetof(EFI_BOOT_SERVICES, GetMemoryMap) == 56, "UEFI 2.10, section 4.4");
_Static_assert(offsetof(EFI_BOOT_SERVICES, ExitBootServices) == 232, "UEFI 2.10, section 4.4");
_Static_assert(offsetof(EFI_BOOT_SERVICES, LocateProtocol) == 320, "UEFI 2.10, section 4.4");
_Static_assert(sizeof(EFI_MEMORY_DESCRIPTOR) == 40, "UEFI 2.10, section 7.2.3");
_Static_assert(offsetof(EFI_LOADED_IMAGE, ImageBase) == 64, "UEFI 2.10, section 9.1.1");
_Static_assert(offsetof(EFI_FILE_INFO, FileName) == 80, "UEFI 2.10, section 13.5.16");

struct __attribute__((packed)) efi_attributes_are_alive {
    char byte;
    int number;
};
_Static_assert(sizeof(struct efi_attributes_are_alive) == 5, "__attribute__ has been defined away");

#endif
