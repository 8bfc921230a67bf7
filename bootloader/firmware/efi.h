/*
 * efi.h - the firmware's types, from gnu-efi's headers. The only file that includes them.
 *
 * gnu-efi's eficompiler.h defines __attribute__ away for Microsoft-compatible targets, which
 * clang's x86_64-unknown-windows is. packed, aligned and sysv_abi would then vanish without a word,
 * so the macro is removed again, and the assertions below fail if that (or a layout) should go
 * wrong.
 */
#ifndef BOOTLOADER_FIRMWARE_EFI_H
#define BOOTLOADER_FIRMWARE_EFI_H

#include <efi.h>
#include <pe.h>

#undef __attribute__

#include <stddef.h>

_Static_assert(sizeof(void *) == 8, "x86-64 only");
_Static_assert(sizeof(CHAR16) == 2, "UEFI text is UTF-16: compile with -fshort-wchar");
_Static_assert(sizeof(EFI_TABLE_HEADER) == 24, "UEFI 2.10, section 4.2");
_Static_assert(offsetof(EFI_SYSTEM_TABLE, BootServices) == 96, "UEFI 2.10, section 4.3");
_Static_assert(offsetof(EFI_BOOT_SERVICES, GetMemoryMap) == 56, "UEFI 2.10, section 4.4");
_Static_assert(offsetof(EFI_BOOT_SERVICES, ExitBootServices) == 232, "UEFI 2.10, section 4.4");
_Static_assert(offsetof(EFI_BOOT_SERVICES, LocateProtocol) == 320, "UEFI 2.10, section 4.4");
_Static_assert(sizeof(EFI_MEMORY_DESCRIPTOR) == 40, "UEFI 2.10, section 7.2.3");
_Static_assert(offsetof(EFI_LOADED_IMAGE, ImageBase) == 64, "UEFI 2.10, section 9.1.1");
_Static_assert(offsetof(EFI_FILE_INFO, FileName) == 80, "UEFI 2.10, section 13.5.16");

/* UEFI 2.10, section 2.3.4.2: the firmware is called, and calls, by Microsoft's convention. The
 * second assertion also proves that attributes are alive. */
_Static_assert(__builtin_types_compatible_p(void (*)(void *),
                                            void(__attribute__((ms_abi)) *)(void *)),
               "functions without an attribute must follow the firmware's calling convention");
_Static_assert(!__builtin_types_compatible_p(void (*)(void *),
                                             void(__attribute__((sysv_abi)) *)(void *)),
               "__attribute__ has been defined away");

#endif
