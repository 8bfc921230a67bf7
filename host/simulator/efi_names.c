#include "host/simulator/efi_names.h"

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct type_name {
    uint32_t type; /* of EFI */
    const char *name;
};

static const struct type_name TYPE_NAMES[] = {
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
    {1, "ldr-code"},
    {2, "ldr-data"},
    {3, "BS-code"},
    {4, "BS-data"},
    {5, "RT-code"},
    {6, "RT-data"},
    {7, "conv-mem"},
    {9, "ACPI-rec"},
    {10, "ACPI-nvs"},
    {11, "MemMapIO"},
    {12, "MemPortIO"},
    {12, "IO-ports"},
    {13, "PAL_Code"},
    {13, "PAL-code"},
    {14, "persist"},
};

static const struct type_name E820_KINDS[] = {
    {7, "usable"},
    {7, "System RAM"},
    {7, "kernel usable RAM"},
    {7, "RAM"},
    {7, "available RAM"},
    {9, "ACPI data"},
    {9, "ACPI Tables"},
    {9, "ACPI reclaimable"},
    {9, "ACPI reclaimable RAM"},
    {10, "ACPI NVS"},
    {10, "ACPI non-volatile storage"},
    {10, "ACPI non-volatile storage RAM"},
    {10, "NVS"},
    {8, "unusable"},
    {8, "unusable memory"},
    {8, "faulty RAM"},
    {8, "bad RAM"},
    {14, "persistent"},
    {14, "persistent memory"},
    {14, "persistent memory (legacy)"},
    {14, "persistent RAM"},
    {14, "persistent RAM (legacy)"},
    {14, "persistent (type 7)"},
    {14, "persistent (type 12)"},
    {0, "reserved"},
    {0, "reserved RAM"},
    {0, "device reserved"},
    {0, "soft reserved"},
    {0, "soft-reserved"},
    {0, "application reserved"},
    {0, "RAM holding coreboot tables"},
    {0, "configuration tables"},
    {0, "vendor reserved"},
    {0, "RAM holding firmware code"},
    {0, "Unknown E820 type"},
};

bool efi_names_type(struct text_cursor name, uint32_t *ret_type)
{
    for (size_t i = 0; i < COUNT_OF(TYPE_NAMES); i++) {
        if (text_cursor_is(name, TYPE_NAMES[i].name)) {
            *ret_type = TYPE_NAMES[i].type;
            return true;
        }
    }
    return false;
}

/* The numbers of E820, which some programs print: 1 is RAM, 2 is reserved, … (ACPI 6.5, section
 * 15). */
static uint32_t type_of_e820_number(uint64_t number)
{
    switch (number) {
    case 1:
        return 7;
    case 3:
        return 9;
    case 4:
        return 10;
    case 5:
        return 8;
    case 7:
    case 12:
        return 14;
    default:
        return 0;
    }
}

/* "type 20", "type = 0x1": types for which Linux has no word. */
static bool take_numbered_kind(struct text_cursor *cursor, uint32_t *ret_type)
{
    uint64_t number;
    struct text_cursor rest = *cursor;
    (void)text_cursor_take(&rest, "unknown ");
    if (!text_cursor_expect(&rest, "type")) {
        if (text_cursor_at_end(&rest))
            cursor->at = rest.at;
        return false;
    }
    text_cursor_skip_any(&rest, " =:");
    if (!text_cursor_take_number(&rest, &number) || !text_cursor_at_word_end(&rest)) {
        if (text_cursor_at_end(&rest))
            cursor->at = rest.at;
        return false;
    }
    *cursor = rest;
    *ret_type = type_of_e820_number(number);
    return true;
}

/* A kind ends with its word, or at a lost line end: "usableBIOS-e820: …". */
static bool is_at_kind_end(const struct text_cursor *cursor)
{
    struct text_cursor rest = *cursor;
    if (text_cursor_at_word_end(cursor) || *cursor->at == '_' || text_cursor_take(&rest, "BIOS-"))
        return true;
    bool is_capital = *cursor->at >= 'A' && *cursor->at <= 'Z';
    return is_capital && cursor->at[-1] >= 'a' && cursor->at[-1] <= 'z';
}

/* If several names match, the longest counts: "persistent (type 7)" before "persistent". */
bool efi_names_take_e820_kind(struct text_cursor *cursor, uint32_t *ret_type)
{
    const char *longest = cursor->at;
    bool breaks_off = false;
    for (size_t i = 0; i < COUNT_OF(E820_KINDS); i++) {
        struct text_cursor rest = *cursor;
        bool found = text_cursor_expect(&rest, E820_KINDS[i].name);
        breaks_off = breaks_off || (!found && rest.at > cursor->at);
        if (found && is_at_kind_end(&rest) && rest.at > longest) {
            longest = rest.at;
            *ret_type = E820_KINDS[i].type;
        }
    }
    if (longest == cursor->at && !breaks_off)
        return take_numbered_kind(cursor, ret_type);
    bool found = longest > cursor->at;
    cursor->at = found ? longest : cursor->end;
    return found;
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
        {UINT64_C(1) << 63, "RT"},
    };
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (text_cursor_is(name, NAMES[i].name)) {
            *ret_attribute = NAMES[i].attribute;
            return true;
        }
    }
    return false;
}
