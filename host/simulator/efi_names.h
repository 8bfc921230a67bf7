/*
 * efi_names.h - the names of memory types and attributes in Linux, Xen, GRUB, the UEFI shell and
 * E820 lists.
 *
 * (UEFI 2.10, sections 7.2.1 and 7.2.3; Linux drivers/firmware/efi/efi.c and
 * arch/x86/kernel/e820.c; EDK II ShellPkg, command memmap.)
 */
#ifndef HOST_SIMULATOR_EFI_NAMES_H
#define HOST_SIMULATOR_EFI_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "host/simulator/text_cursor.h"

#define EFI_TYPE_LOADER_CODE  1u
#define EFI_TYPE_LOADER_DATA  2u
#define EFI_TYPE_CONVENTIONAL 7u
#define EFI_TYPE_ACPI_RECLAIM 9u

/* UC, WC, WT and WB: the attributes that firmware states for plain RAM. */
#define EFI_ATTRIBUTES_OF_RAM UINT64_C(0xf)

/* Find the EFI type with this name in Linux ("Conventional Memory"), the shell ("BS_Code") or GRUB
 * ("conv-mem"). */
bool efi_names_type(struct text_cursor name, uint32_t *ret_type);

/* Find the EFI type for an E820 kind at the cursor ("usable", "ACPI data", "type 20"), in the words
 * of Linux, Xen and GRUB. A kind without its own type is reserved. Return false if the text is not
 * a kind. If the text ends inside of a kind, the cursor is at the text's end. */
bool efi_names_take_e820_kind(struct text_cursor *cursor, uint32_t *ret_type);

/* Find the attribute with this abbreviation in Linux ("WB", "RUN") or GRUB ("RT"). */
bool efi_names_attribute(struct text_cursor name, uint64_t *ret_attribute);

#endif
