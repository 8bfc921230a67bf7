#include "shared/region.h"

#include "shared/text/packed_text.h"

#define RAM    (HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE)
#define PLACED (RAM | HANDOFF_FACT_LOADER_PLACED)

/* docs/HANDOFF.md, "Types": type, precedence, facts, reuse, name. The gaps between the precedences
 * are for new types. */
#define TYPES(ROW)                                                                                 \
    ROW(USABLE, 1, RAM, AT_ENTRY, "usable")                                                        \
    ROW(BOOT_SERVICES, 2, RAM, AT_ENTRY, "boot-services")                                          \
    ROW(LOADER, 3, RAM, AFTER_LOADER, "loader")                                                    \
    ROW(ACPI_RECLAIM, 4, RAM, AFTER_ACPI, "acpi-reclaim")                                          \
    ROW(LOW_MEMORY, 5, RAM, NEVER, "low-memory")                                                   \
    ROW(TEMP_HEAP, 6, PLACED, AFTER_HEAP, "temp-heap")                                             \
    ROW(STACK, 7, PLACED, AFTER_LOADER, "stack")                                                   \
    ROW(PAGE_TABLES, 8, PLACED, AFTER_LOADER, "page-tables")                                       \
    ROW(HANDOFF_DATA, 9, PLACED, AFTER_COPY, "handoff-data")                                       \
    ROW(KERNEL_IMAGE, 10, PLACED, NEVER, "kernel-image")                                           \
    ROW(PROCESSOR_START, 11, PLACED, NEVER, "processor-start")                                     \
    ROW(BOOT_RECORD, 12, PLACED, NEVER, "boot-record")                                             \
    ROW(MODULE, 13, PLACED, AFTER_MODULES, "module")                                               \
    ROW(PARKING, 14, PLACED, AFTER_PARKING, "parking")                                             \
    ROW(KERNEL_SYMBOLS, 15, PLACED, AFTER_COPY, "kernel-symbols")                                  \
    ROW(ACPI_NVS, 20, RAM, NEVER, "acpi-nvs")                                                      \
    ROW(RUNTIME_DATA, 21, RAM, NEVER, "runtime-data")                                              \
    ROW(RUNTIME_CODE, 22, RAM, NEVER, "runtime-code")                                              \
    ROW(PERSISTENT, 30, 0, NEVER, "persistent")                                                    \
    ROW(UNACCEPTED, 31, 0, NEVER, "unaccepted")                                                    \
    ROW(MMIO, 32, 0, NEVER, "mmio")                                                                \
    ROW(BAD, 33, 0, NEVER, "bad")                                                                  \
    ROW(RESERVED, 34, 0, NEVER, "reserved")                                                        \
    ROW(FIRMWARE_TABLES, 35, HANDOFF_FACT_MAPPED, NEVER, "firmware-tables")                        \
    ROW(FRAMEBUFFER, 36, HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE, NEVER, "framebuffer")

/* Small, and without a pointer that firmware must relocate: the size of the loader's file counts. */
struct meaning {
    uint16_t type;
    uint8_t precedence;
    uint8_t facts;
    uint8_t reuse; /* enum handoff_reuse */
};

#define MEANING(type, precedence, facts, reuse, name)                                              \
    {HANDOFF_REGION_##type, precedence, facts, HANDOFF_REUSE_##reuse},
#define NAME(type, precedence, facts, reuse, name) name,

/* The last row is for unknown types. */
static const struct meaning meanings[] = {TYPES(MEANING){0, 0, 0, HANDOFF_REUSE_NEVER}};
static const char names[][17] PACKED_SECTION = {TYPES(NAME) "unknown"};

static size_t row_of(uint32_t type)
{
    size_t row = 0;
    while (row < sizeof(meanings) / sizeof(meanings[0]) - 1 && meanings[row].type != type)
        row++;
    return row;
}

static const struct meaning *meaning_of(uint32_t type)
{
    return &meanings[row_of(type)];
}

const char *region_type_name(uint32_t type)
{
    return packed_text_read(names[row_of(type)]);
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
