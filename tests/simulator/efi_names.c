#include "tests/simulator/efi_names.h"

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

bool efi_names_type(struct text_cursor name, uint32_t *ret_type)
{
    static const struct {
        uint32_t type;
        const char *name;
    } NAMES[] = {
        {0, "Reserved"},
        {1, "Loader Code"},
        {1, "LoaderCode"},
        {2, "Loader Data"},
        {2, "LoaderData"},
        {3, "Boot Code"},
        {3, "BS_Code"},
        {3, "BootServiceCode"},
        {4, "Boot Data"},
        {4, "BS_Data"},
        {4, "BootServiceData"},
        {5, "Runtime Code"},
        {5, "RT_Code"},
        {5, "RuntimeCode"},
        {6, "Runtime Data"},
        {6, "RT_Data"},
        {6, "RuntimeData"},
        {7, "Conventional"},
        {7, "Conventional Memory"},
        {7, "Available"},
        {8, "Unusable"},
        {8, "Unusable Memory"},
        {8, "UnusableMemory"},
        {9, "ACPI Reclaim"},
        {9, "ACPI Reclaim Memory"},
        {9, "ACPI_Recl"},
        {9, "ACPIReclaimMemory"},
        {10, "ACPI Mem NVS"},
        {10, "ACPI Memory NVS"},
        {10, "ACPI_NVS"},
        {10, "ACPIMemoryNVS"},
        {11, "MMIO"},
        {11, "Memory Mapped I/O"},
        {11, "MemoryMappedIO"},
        {12, "MMIO Port"},
        {12, "MMIO Port Space"},
        {12, "MMIO_Port"},
        {12, "MemoryMappedIOPortSpace"},
        {13, "PAL Code"},
        {13, "PalCode"},
        {14, "Persistent"},
        {14, "Persistent Memory"},
        {15, "Unaccepted"},
    };
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (text_cursor_is(name, NAMES[i].name)) {
            *ret_type = NAMES[i].type;
            return true;
        }
    }
    return false;
}

/* "type 20", "persistent (type 12)": what Linux has no word for. */
static bool is_numbered_kind(struct text_cursor kind)
{
    uint64_t number;
    if (!text_cursor_take_through(&kind, "type "))
        return false;
    return text_cursor_take_number(&kind, &number);
}

bool efi_names_e820_type(struct text_cursor kind, uint32_t *ret_type)
{
    static const struct {
        uint32_t type;
        const char *kind;
    } KINDS[] = {
        {7, "usable"},
        {7, "System RAM"},
        {7, "kernel usable RAM"},
        {9, "ACPI data"},
        {9, "acpi"},
        {10, "ACPI NVS"},
        {10, "nvs"},
        {8, "unusable"},
        {14, "persistent"},
        {0, "reserved"},
        {0, "device reserved"},
        {0, "soft reserved"},
        {0, "soft-reserved"},
        {14, "persistent (type 7)"},
    };
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (text_cursor_is(kind, KINDS[i].kind)) {
            *ret_type = KINDS[i].type;
            return true;
        }
    }
    if (!is_numbered_kind(kind))
        return false;
    *ret_type = 0;
    return true;
}

bool efi_names_attribute(struct text_cursor name, uint64_t *ret_attribute)
{
    static const struct {
        uint64_t attribute;
        const char *name;
    } NAMES[] = {
        {UINT64_C(0x1), "UC"},     {UINT64_C(0x2), "WC"},      {UINT64_C(0x4), "WT"},
        {UINT64_C(0x8), "WB"},     {UINT64_C(0x10), "UCE"},    {UINT64_C(0x1000), "WP"},
        {UINT64_C(0x2000), "RP"},  {UINT64_C(0x4000), "XP"},   {UINT64_C(0x8000), "NV"},
        {UINT64_C(0x10000), "MR"}, {UINT64_C(0x20000), "RO"},  {UINT64_C(0x40000), "SP"},
        {UINT64_C(0x80000), "CC"}, {UINT64_C(0x100000), "HC"}, {UINT64_C(1) << 63, "RUN"},
    };
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (text_cursor_is(name, NAMES[i].name)) {
            *ret_attribute = NAMES[i].attribute;
            return true;
        }
    }
    return false;
}
