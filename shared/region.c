#include "shared/region.h"

#define RAM    (HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE)
#define PLACED (RAM | HANDOFF_FACT_LOADER_PLACED)

/* Small, and without a pointer that firmware must relocate: the size of the loader's file counts. */
struct meaning {
    uint16_t type;
    uint8_t precedence;
    uint8_t facts;
    uint8_t reuse; /* enum handoff_reuse */
    char name[17];
};

/* docs/HANDOFF.md, "Types". The gaps between the precedences are for new types. */
static const struct meaning meanings[] = {
    {HANDOFF_REGION_USABLE, 1, RAM, HANDOFF_REUSE_AT_ENTRY, "usable"},
    {HANDOFF_REGION_BOOT_SERVICES, 2, RAM, HANDOFF_REUSE_AT_ENTRY, "boot-services"},
    {HANDOFF_REGION_LOADER, 3, RAM, HANDOFF_REUSE_AFTER_LOADER, "loader"},
    {HANDOFF_REGION_ACPI_RECLAIM, 4, RAM, HANDOFF_REUSE_AFTER_ACPI, "acpi-reclaim"},
    {HANDOFF_REGION_LOW_MEMORY, 5, RAM, HANDOFF_REUSE_NEVER, "low-memory"},
    {HANDOFF_REGION_TEMP_HEAP, 6, PLACED, HANDOFF_REUSE_AFTER_HEAP, "temp-heap"},
    {HANDOFF_REGION_STACK, 7, PLACED, HANDOFF_REUSE_AFTER_LOADER, "stack"},
    {HANDOFF_REGION_PAGE_TABLES, 8, PLACED, HANDOFF_REUSE_AFTER_LOADER, "page-tables"},
    {HANDOFF_REGION_HANDOFF_DATA, 9, PLACED, HANDOFF_REUSE_AFTER_COPY, "handoff-data"},
    {HANDOFF_REGION_KERNEL_IMAGE, 10, PLACED, HANDOFF_REUSE_NEVER, "kernel-image"},
    {HANDOFF_REGION_PROCESSOR_START, 11, PLACED, HANDOFF_REUSE_NEVER, "processor-start"},
    {HANDOFF_REGION_BOOT_RECORD, 12, PLACED, HANDOFF_REUSE_NEVER, "boot-record"},
    {HANDOFF_REGION_MODULE, 13, PLACED, HANDOFF_REUSE_AFTER_MODULES, "module"},
    {HANDOFF_REGION_PARKING, 14, PLACED, HANDOFF_REUSE_AFTER_PARKING, "parking"},
    {HANDOFF_REGION_KERNEL_SYMBOLS, 15, PLACED, HANDOFF_REUSE_AFTER_COPY, "kernel-symbols"},
    {HANDOFF_REGION_ACPI_NVS, 20, RAM, HANDOFF_REUSE_NEVER, "acpi-nvs"},
    {HANDOFF_REGION_RUNTIME_DATA, 21, RAM, HANDOFF_REUSE_NEVER, "runtime-data"},
    {HANDOFF_REGION_RUNTIME_CODE, 22, RAM, HANDOFF_REUSE_NEVER, "runtime-code"},
    {HANDOFF_REGION_PERSISTENT, 30, 0, HANDOFF_REUSE_NEVER, "persistent"},
    {HANDOFF_REGION_UNACCEPTED, 31, 0, HANDOFF_REUSE_NEVER, "unaccepted"},
    {HANDOFF_REGION_MMIO, 32, 0, HANDOFF_REUSE_NEVER, "mmio"},
    {HANDOFF_REGION_BAD, 33, 0, HANDOFF_REUSE_NEVER, "bad"},
    {HANDOFF_REGION_RESERVED, 34, 0, HANDOFF_REUSE_NEVER, "reserved"},
    {HANDOFF_REGION_FIRMWARE_TABLES, 35, HANDOFF_FACT_MAPPED, HANDOFF_REUSE_NEVER,
     "firmware-tables"},
    {HANDOFF_REGION_FRAMEBUFFER, 36, HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE,
     HANDOFF_REUSE_NEVER, "framebuffer"},
};

static const struct meaning unknown = {0, 0, 0, HANDOFF_REUSE_NEVER, "unknown"};

static const struct meaning *meaning_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].type == type)
            return &meanings[i];
    }
    return &unknown;
}

const char *region_type_name(uint32_t type)
{
    return meaning_of(type)->name;
}

uint32_t region_type_facts(uint32_t type)
{
    return meaning_of(type)->facts;
}

enum handoff_reuse region_type_reuse(uint32_t type)
{
    return (enum handoff_reuse)meaning_of(type)->reuse;
}

unsigned region_type_precedence(uint32_t type)
{
    return meaning_of(type)->precedence;
}

struct handoff_region region_make(uint64_t base, uint64_t size_bytes, uint32_t type,
                                  uint32_t efi_type, uint64_t attributes)
{
    const struct meaning *meaning = meaning_of(type);
    return (struct handoff_region){
        .base = base,
        .size_bytes = size_bytes,
        .type = type,
        .facts = meaning->facts,
        .reuse = meaning->reuse,
        .efi_type = efi_type,
        .attributes = attributes,
    };
}

bool region_is_ram(const struct handoff_region *region)
{
    return (region->facts & HANDOFF_FACT_RAM) != 0;
}

bool region_is_mapped_ram(const struct handoff_region *region)
{
    return (region->facts & RAM) == RAM;
}

enum handoff_reuse region_reuse(const struct handoff_region *region)
{
    return region->reuse <= HANDOFF_REUSE_AFTER_PARKING ? (enum handoff_reuse)region->reuse
                                                        : HANDOFF_REUSE_NEVER;
}

bool region_next_ram_run(const struct handoff_region *regions, size_t region_count,
                         struct phys_addr limit, size_t *index, struct phys_range *ret_run)
{
    size_t next = *index;
    while (next < region_count && !region_is_mapped_ram(&regions[next]))
        next++;
    if (next == region_count || regions[next].base >= limit.value)
        return false;

    struct phys_range run = phys_range(regions[next].base, regions[next].base);
    while (next < region_count && region_is_mapped_ram(&regions[next]) &&
           regions[next].base == run.end.value)
        run.end = phys_addr_add(run.end, regions[next++].size_bytes);
    if (run.end.value > limit.value)
        run.end = limit;
    *ret_run = run;
    *index = next;
    return true;
}
