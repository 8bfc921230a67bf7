/*
 * efi_names.h - what Linux, the UEFI shell and E820 lists call a type of memory or an attribute.
 *
 * (UEFI 2.10, sections 7.2.1 and 7.2.3; Linux drivers/firmware/efi/efi.c and
 * arch/x86/kernel/e820.c; EDK II ShellPkg, command memmap.)
 */
#ifndef TESTS_SIMULATOR_EFI_NAMES_H
#define TESTS_SIMULATOR_EFI_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/simulator/text_cursor.h"

#define EFI_TYPE_LOADER_CODE  1u
#define EFI_TYPE_LOADER_DATA  2u
#define EFI_TYPE_CONVENTIONAL 7u

/* UC, WC, WT and WB: what firmware says of plain RAM. */
#define EFI_ATTRIBUTES_OF_RAM UINT64_C(0xf)

/* The EFI type that Linux ("Conventional Memory") or the shell ("BS_Code") calls so. */
bool efi_names_type(struct text_cursor name, uint32_t *ret_type);

/* The EFI type that stands for an E820 kind ("usable", "ACPI data", "type 20"): what is not known
 * to be anything else is reserved. False if the text is no kind at all. */
bool efi_names_e820_type(struct text_cursor kind, uint32_t *ret_type);

/* The attribute that Linux abbreviates so ("WB", "RUN"). */
bool efi_names_attribute(struct text_cursor name, uint64_t *ret_attribute);

#endif
