#include "bootloader/pure/memory_type.h"

#include "shared/region.h"

/* UEFI 2.10, 7.2.1: EFI_MEMORY_TYPE. */
enum efi_memory_type {
    EFI_TYPE_RESERVED,
    EFI_TYPE_LOADER_CODE,
    EFI_TYPE_LOADER_DATA,
    EFI_TYPE_BOOT_SERVICES_CODE,
    EFI_TYPE_BOOT_SERVICES_DATA,
    EFI_TYPE_RUNTIME_SERVICES_CODE,
    EFI_TYPE_RUNTIME_SERVICES_DATA,
    EFI_TYPE_CONVENTIONAL,
    EFI_TYPE_UNUSABLE,
    EFI_TYPE_ACPI_RECLAIM,
    EFI_TYPE_ACPI_NVS,
    EFI_TYPE_MEMORY_MAPPED_IO,
    EFI_TYPE_MEMORY_MAPPED_IO_PORT_SPACE,
    EFI_TYPE_PAL_CODE,
    EFI_TYPE_PERSISTENT,
    EFI_TYPE_UNACCEPTED,
    EFI_TYPE_COUNT
};

static const uint16_t region_types[EFI_TYPE_COUNT] = {
    [EFI_TYPE_RESERVED] = HANDOFF_REGION_RESERVED,
    [EFI_TYPE_LOADER_CODE] = HANDOFF_REGION_LOADER,
    [EFI_TYPE_LOADER_DATA] = HANDOFF_REGION_LOADER,
    [EFI_TYPE_BOOT_SERVICES_CODE] = HANDOFF_REGION_BOOT_SERVICES,
    [EFI_TYPE_BOOT_SERVICES_DATA] = HANDOFF_REGION_BOOT_SERVICES,
    [EFI_TYPE_RUNTIME_SERVICES_CODE] = HANDOFF_REGION_RUNTIME_CODE,
    [EFI_TYPE_RUNTIME_SERVICES_DATA] = HANDOFF_REGION_RUNTIME_DATA,
    [EFI_TYPE_CONVENTIONAL] = HANDOFF_REGION_USABLE,
    [EFI_TYPE_UNUSABLE] = HANDOFF_REGION_BAD,
    [EFI_TYPE_ACPI_RECLAIM] = HANDOFF_REGION_ACPI_RECLAIM,
    [EFI_TYPE_ACPI_NVS] = HANDOFF_REGION_ACPI_NVS,
    [EFI_TYPE_MEMORY_MAPPED_IO] = HANDOFF_REGION_MMIO,
    [EFI_TYPE_MEMORY_MAPPED_IO_PORT_SPACE] = HANDOFF_REGION_MMIO,
    [EFI_TYPE_PAL_CODE] = HANDOFF_REGION_MMIO,
    [EFI_TYPE_PERSISTENT] = HANDOFF_REGION_PERSISTENT,
    [EFI_TYPE_UNACCEPTED] = HANDOFF_REGION_UNACCEPTED,
};

/* The other attributes that decide whether RAM may be used like RAM. */
#define ATTRIBUTE_SPECIFIC_PURPOSE UINT64_C(0x40000)
#define ATTRIBUTE_RUNTIME          UINT64_C(0x8000000000000000)

bool memory_type_is_known(uint32_t efi_type)
{
    return efi_type < EFI_TYPE_COUNT;
}

static enum handoff_region_type without_attributes(uint32_t efi_type)
{
    return memory_type_is_known(efi_type) ? (enum handoff_region_type)region_types[efi_type]
                                          : HANDOFF_REGION_RESERVED;
}

bool memory_type_can_become_free(enum handoff_region_type type)
{
    return type == HANDOFF_REGION_USABLE || type == HANDOFF_REGION_BOOT_SERVICES ||
           type == HANDOFF_REGION_LOADER || type == HANDOFF_REGION_ACPI_RECLAIM ||
           type == HANDOFF_REGION_LOW_MEMORY;
}

bool memory_type_is_ram(enum handoff_region_type type)
{
    return (region_type_facts((uint32_t)type) & HANDOFF_FACT_RAM) != 0;
}

bool memory_type_lives_on(uint32_t efi_type)
{
    return efi_type == EFI_TYPE_RUNTIME_SERVICES_CODE ||
           efi_type == EFI_TYPE_RUNTIME_SERVICES_DATA || efi_type == EFI_TYPE_ACPI_RECLAIM ||
           efi_type == EFI_TYPE_ACPI_NVS || efi_type == EFI_TYPE_PERSISTENT;
}

/* RAM is mapped write-back, so a row that forbids write-back is not RAM. Memory that a kernel may
 * use must also have no other owner and no special purpose. */
bool memory_type_forbids_use(uint32_t efi_type, uint64_t attributes)
{
    enum handoff_region_type type = without_attributes(efi_type);
    if (!memory_type_is_ram(type))
        return false;
    return (attributes & MEMORY_TYPE_WRITE_BACK) == 0 ||
           (memory_type_can_become_free(type) &&
            (attributes & (ATTRIBUTE_SPECIFIC_PURPOSE | ATTRIBUTE_RUNTIME)) != 0);
}

enum handoff_region_type memory_type_of_row(uint32_t efi_type, uint64_t attributes)
{
    return memory_type_forbids_use(efi_type, attributes) ? HANDOFF_REGION_RESERVED
                                                         : without_attributes(efi_type);
}
