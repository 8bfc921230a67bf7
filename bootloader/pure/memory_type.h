/*
 * memory_type.h - convert a type and attributes of the firmware's memory map to a region type.
 *
 * Pure. UEFI 2.10, 7.2.1 (types) and 7.2.3 (attributes). Catalogue group M.
 */
#ifndef BOOTLOADER_PURE_MEMORY_TYPE_H
#define BOOTLOADER_PURE_MEMORY_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/handoff.h"

/* The attribute of RAM that is mapped write-back (EFI_MEMORY_WB). */
#define MEMORY_TYPE_WRITE_BACK UINT64_C(0x8)

/* Return the region type of a row. Unknown types are reserved, and so is RAM whose attributes
 * forbid its use. */
enum handoff_region_type memory_type_of_row(uint32_t efi_type, uint64_t attributes);

/* Return true for a type that UEFI 2.10 defines. */
bool memory_type_is_known(uint32_t efi_type);

/* Return true if this type is RAM, and these attributes forbid its use. */
bool memory_type_forbids_use(uint32_t efi_type, uint64_t attributes);

/* Return true for types that a kernel may use at entry or later. */
bool memory_type_can_become_free(enum handoff_region_type type);

bool memory_type_is_ram(enum handoff_region_type type);

/* Return true for memory whose content the firmware, the operating system or a user needs after the
 * exit of boot services, whatever its attributes are. */
bool memory_type_lives_on(uint32_t efi_type);

#endif
