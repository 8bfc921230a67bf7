#include "tests/unit/support/memory_map_oracle.h"

#include <stdbool.h>

#include "shared/address.h"
#include "tests/unit/support/region_types.h"

#define PHYSICAL_LIMIT   (UINT64_C(1) << 52)
#define LOW_MEMORY_LIMIT (UINT64_C(1) << 20)
#define RAM_LIMIT        (UINT64_C(1) << 46)
#define WRITE_BACK       UINT64_C(8)
/* Above the number of every type. */
#define TYPE_LIMIT 0x500

/* From 1 on, in order of precedence. 0 is the rank of type 0: no row. The table is filled once: the
 * fuzzer asks for millions of ranks in a second. */
static unsigned rank(uint32_t type)
{
    static uint8_t ranks[TYPE_LIMIT];
    if (ranks[REGION_TYPES[0]] == 0)
        for (unsigned place = 0; place < REGION_TYPE_COUNT; place++)
            ranks[REGION_TYPES[place]] = (uint8_t)(place + 1);
    return ranks[type];
}

static bool can_become_free(uint32_t type)
{
    return type != 0 && rank(type) <= rank(HANDOFF_REGION_LOW_MEMORY);
}

static bool is_ram(uint32_t type)
{
    return type != 0 && rank(type) <= rank(HANDOFF_REGION_RUNTIME_CODE);
}

uint32_t memory_map_oracle_type(uint32_t efi_type, uint64_t attributes)
{
    static const uint32_t TYPES[16] = {
        HANDOFF_REGION_RESERVED,      HANDOFF_REGION_LOADER,        HANDOFF_REGION_LOADER,
        HANDOFF_REGION_BOOT_SERVICES, HANDOFF_REGION_BOOT_SERVICES, HANDOFF_REGION_RUNTIME_CODE,
        HANDOFF_REGION_RUNTIME_DATA,  HANDOFF_REGION_USABLE,        HANDOFF_REGION_BAD,
        HANDOFF_REGION_ACPI_RECLAIM,  HANDOFF_REGION_ACPI_NVS,      HANDOFF_REGION_MMIO,
        HANDOFF_REGION_MMIO,          HANDOFF_REGION_MMIO,          HANDOFF_REGION_PERSISTENT,
        HANDOFF_REGION_UNACCEPTED};
    if (efi_type > 15)
        return HANDOFF_REGION_RESERVED;
    bool write_back = (attributes & WRITE_BACK) != 0;
    bool ordinary = (attributes & (MEMORY_MAP_ATTRIBUTE_SP | MEMORY_MAP_ATTRIBUTE_RUNTIME)) == 0;
    if (is_ram(TYPES[efi_type]) && !write_back)
        return HANDOFF_REGION_RESERVED;
    if (can_become_free(TYPES[efi_type]) && !ordinary)
        return HANDOFF_REGION_RESERVED;
    return TYPES[efi_type];
}

static bool row_covers(const struct memory_map_descriptor *row, uint32_t type, uint64_t page)
{
    uint64_t start = row->physical_start;
    if (row->page_count == 0 || row->page_count > PHYSICAL_LIMIT / PAGE_SIZE_BYTES ||
        start > PHYSICAL_LIMIT || row->page_count * PAGE_SIZE_BYTES > PHYSICAL_LIMIT - start)
        return false;
    uint64_t end = start + row->page_count * PAGE_SIZE_BYTES;
    if (can_become_free(type))
        return start <= page && page + PAGE_SIZE_BYTES <= end; /* whole pages only */
    return start < page + PAGE_SIZE_BYTES && page < end;
}

/* Firmware that fills no attribute at all means ordinary RAM. */
static uint64_t assumed_attributes(const struct memory_map_input *input)
{
    for (size_t i = 0; i < input->row_count; i++)
        if (input->rows[i].attribute != 0)
            return 0;
    return WRITE_BACK;
}

/* Return the type with the highest precedence of the rows that cover the page; 0 if no row covers
 * it. */
static uint32_t type_by_rows(const struct memory_map_input *input, uint64_t page)
{
    uint32_t highest = 0;
    const uint64_t assumed = assumed_attributes(input);
    for (size_t i = 0; i < input->row_count; i++) {
        const struct memory_map_descriptor *row = &input->rows[i];
        uint32_t type = memory_map_oracle_type(row->type, row->attribute | assumed);
        if (rank(type) > rank(highest) && row_covers(row, type, page))
            highest = type;
    }
    return highest;
}

/* The same for the claims that cover the page. Claims of firmware tables count only if `wanted`. */
static uint32_t type_by_claims(const struct memory_map_input *input, uint64_t page, bool tables)
{
    uint32_t highest = 0;
    for (size_t i = 0; i < input->claim_count; i++) {
        const struct memory_map_claim *claim = &input->claims[i];
        if (phys_range_contains_address(claim->range, phys_addr(page)) &&
            (claim->type == HANDOFF_REGION_FIRMWARE_TABLES) == tables &&
            rank((uint32_t)claim->type) > rank(highest))
            highest = (uint32_t)claim->type;
    }
    return highest;
}

static uint32_t expected_type(const struct memory_map_input *input, uint32_t by_rows, uint64_t page)
{
    uint32_t by_claims = type_by_claims(input, page, false);
    uint32_t expected = rank(by_claims) > rank(by_rows) ? by_claims : by_rows;
    if (page == 0 && can_become_free(expected))
        expected = HANDOFF_REGION_RESERVED;
    if (page >= RAM_LIMIT && is_ram(expected))
        expected = HANDOFF_REGION_RESERVED;
    if (page < LOW_MEMORY_LIMIT && can_become_free(expected) &&
        expected != HANDOFF_REGION_ACPI_RECLAIM)
        expected = HANDOFF_REGION_LOW_MEMORY;
    if (by_claims == 0 && (by_rows == 0 || by_rows == HANDOFF_REGION_RESERVED) &&
        type_by_claims(input, page, true) != 0)
        expected = HANDOFF_REGION_FIRMWARE_TABLES;
    return expected;
}

static const struct handoff_region *region_of(const struct handoff_region *regions,
                                              size_t region_count, uint64_t page)
{
    for (size_t i = 0; i < region_count; i++) {
        if (page >= regions[i].base && page - regions[i].base < regions[i].size_bytes)
            return &regions[i];
    }
    return NULL;
}

const char *memory_map_page_problem(const struct memory_map_input *input,
                                    const struct handoff_region *regions, size_t region_count,
                                    uint64_t page)
{
    uint32_t row_type = type_by_rows(input, page);
    uint32_t expected = expected_type(input, row_type, page);

    const struct handoff_region *region = region_of(regions, region_count, page);
    if (region == NULL)
        return expected == 0 ? NULL : "a page that rows or claims cover is missing";
    if (region->type != expected)
        return "a page has the wrong type";
    if (row_type == 0)
        return region->efi_type == HANDOFF_EFI_TYPE_NONE ? NULL : "a page has an invented EFI type";
    uint64_t attributes = region->attributes | assumed_attributes(input);
    if (memory_map_oracle_type(region->efi_type, attributes) != row_type)
        return "a page has the EFI type or attributes of a row that did not win";
    return NULL;
}

const char *memory_map_normal_problem(const struct handoff_region *regions, size_t region_count)
{
    for (size_t i = 0; i < region_count; i++) {
        const struct handoff_region *region = &regions[i];
        if (region->size_bytes == 0)
            return "an empty region";
        if (!page_is_aligned(region->base) || !page_is_aligned(region->size_bytes))
            return "an unaligned region";
        if (region->base > PHYSICAL_LIMIT || region->size_bytes > PHYSICAL_LIMIT - region->base)
            return "a region above 52 bits";
        if (i == 0)
            continue;
        const struct handoff_region *before = &regions[i - 1];
        uint64_t before_end = before->base + before->size_bytes;
        if (before_end > region->base)
            return "regions that overlap or are not sorted";
        if (before_end == region->base && before->type == region->type &&
            before->efi_type == region->efi_type && before->attributes == region->attributes)
            return "regions that could be one";
    }
    return NULL;
}
