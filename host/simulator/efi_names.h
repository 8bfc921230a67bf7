/*
 * efi_names.h - what Linux, Xen, GRUB, the UEFI shell and E820 lists call a type of memory or an
 * attribute.
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

/* UC, WC, WT and WB: what firmware says of plain RAM. */
#define EFI_ATTRIBUTES_OF_RAM UINT64_C(0xf)

/* The EFI type that Linux ("Conventional Memory"), the shell ("BS_Code") or GRUB ("conv-mem") calls
 * so. */
bool efi_names_type(struct text_cursor name, uint32_t *ret_type);

/* The EFI type for an E820 kind at the cursor ("usable", "ACPI data", "type 20"), in the words of
 * Linux, Xen and GRUB. A kind without a type of its own is reserved. False if the text is no kind.
 * If the text breaks off within a kind, the cursor is at the text's end. */
bool efi_names_take_e820_kind(struct text_cursor *cursor, uint32_t *ret_type);

/* The attribute that Linux ("WB", "RUN") or GRUB ("RT") abbreviates so. */
bool efi_names_attribute(struct text_cursor name, uint64_t *ret_attribute);

#endif
