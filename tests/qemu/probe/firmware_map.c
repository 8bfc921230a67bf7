/*
 * firmware_map.c - compare the regions with the rows of the firmware's map.
 *
 * The type of an address changes only where a row, a region or a block begins or ends. If rows and
 * regions agree at each of these addresses, they agree everywhere. This code sorts nothing, so it
 * cannot repeat a mistake of the loader's conversion.
 */
#include "tests/qemu/probe/firmware_map.h"

#include <stddef.h>

#include "tests/qemu/probe/block.h"
#include "tests/qemu/probe/notes.h"

#define NOTHING UINT32_C(0) /* instead of a region type: the page is in no row and no block */

/* UEFI 2.10, 7.2.3. */
struct row {
    uint32_t type;
    uint32_t padding;
    uint64_t start;
    uint64_t virtual_start;
    uint64_t page_count;
    uint64_t attributes;
};
_Static_assert(sizeof(struct row) == 40, "UEFI 2.10, section 7.2.3");

#define ATTRIBUTE_WRITE_BACK       UINT64_C(0x8)
#define ATTRIBUTE_SPECIFIC_PURPOSE UINT64_C(0x40000)
#define ATTRIBUTE_RUNTIME          UINT64_C(0x8000000000000000)

#define LOW_MEMORY_LIMIT (UINT64_C(1) << 20)
#define PHYSICAL_LIMIT   (UINT64_C(1) << 52)
/* With four levels of tables. With five levels, the direct map reaches every physical address. */
#define RAM_LIMIT (UINT64_C(64) << 40)

/* The index is the EFI_MEMORY_TYPE (UEFI 2.10, 7.2.1). */
static const uint32_t region_types[] = {
    HANDOFF_REGION_RESERVED,      HANDOFF_REGION_LOADER,        HANDOFF_REGION_LOADER,
    HANDOFF_REGION_BOOT_SERVICES, HANDOFF_REGION_BOOT_SERVICES, HANDOFF_REGION_RUNTIME_CODE,
    HANDOFF_REGION_RUNTIME_DATA,  HANDOFF_REGION_USABLE,        HANDOFF_REGION_BAD,
    HANDOFF_REGION_ACPI_RECLAIM,  HANDOFF_REGION_ACPI_NVS,      HANDOFF_REGION_MMIO,
    HANDOFF_REGION_MMIO,          HANDOFF_REGION_MMIO,          HANDOFF_REGION_PERSISTENT,
    HANDOFF_REGION_UNACCEPTED,
};

static uint64_t row_count(const struct handoff *handoff)
{
    return handoff->efi_map_size_bytes / handoff->efi_descriptor_size_bytes;
}

static const struct row *row_at(const struct handoff *handoff, uint64_t index)
{
    return block_pointer(handoff, handoff->efi_map + index * handoff->efi_descriptor_size_bytes);
}

static bool row_is_sane(const struct row *row)
{
    return row->page_count != 0 && row->start <= PHYSICAL_LIMIT &&
           row->page_count <= (PHYSICAL_LIMIT - row->start) / PAGE;
}

static bool can_become_free(uint32_t type)
{
    return type >= HANDOFF_REGION_USABLE && type <= HANDOFF_REGION_LOW_MEMORY;
}

/* In this version, a type with a higher number has precedence over one with a lower number. */
static bool is_ram(uint32_t type)
{
    return type >= HANDOFF_REGION_USABLE && type <= HANDOFF_REGION_RUNTIME_CODE;
}

static uint32_t row_type(const struct row *row)
{
    if (row->type >= sizeof(region_types) / sizeof(region_types[0]))
        return HANDOFF_REGION_RESERVED;
    uint32_t type = region_types[row->type];
    bool write_back = (row->attributes & ATTRIBUTE_WRITE_BACK) != 0;
    bool ordinary = (row->attributes & (ATTRIBUTE_SPECIFIC_PURPOSE | ATTRIBUTE_RUNTIME)) == 0;
    if (is_ram(type) && !write_back)
        return HANDOFF_REGION_RESERVED;
    return can_become_free(type) && !ordinary ? HANDOFF_REGION_RESERVED : type;
}

/* Rounded inward if the memory could become free, outward otherwise. */
static uint64_t row_start(const struct row *row)
{
    uint64_t slack = can_become_free(row_type(row)) ? PAGE - 1 : 0;
    return (row->start + slack) & ~(PAGE - 1);
}

static uint64_t row_end(const struct row *row)
{
    uint64_t slack = can_become_free(row_type(row)) ? 0 : PAGE - 1;
    return (row->start + row->page_count * PAGE + slack) & ~(PAGE - 1);
}

static bool row_covers(const struct row *row, uint64_t page)
{
    return row_is_sane(row) && page >= row_start(row) && page < row_end(row);
}

/* Return the most restrictive type of the rows that cover a page. */
static uint32_t type_by_rows(const struct handoff *handoff, uint64_t page)
{
    uint32_t type = NOTHING;
    for (uint64_t i = 0; i < row_count(handoff); i++) {
        const struct row *row = row_at(handoff, i);
        if (row_covers(row, page) && row_type(row) > type)
            type = row_type(row);
    }
    return type;
}

static uint32_t type_by_blocks(const struct handoff *handoff, uint64_t page)
{
    struct block blocks[BLOCK_COUNT];
    block_list(handoff, blocks);
    for (unsigned i = 0; i < BLOCK_COUNT; i++) {
        if (block_contains(&blocks[i], page))
            return blocks[i].type;
    }
    return NOTHING;
}

static const struct handoff_firmware_table *table_at(const struct handoff *handoff, uint32_t index)
{
    return block_pointer(handoff, handoff->firmware_tables.first +
                                      (uint64_t)index * handoff->firmware_tables.stride_bytes);
}

static bool is_page_of_a_table(const struct handoff *handoff, uint64_t page)
{
    for (uint32_t i = 0; i < handoff->firmware_tables.count; i++) {
        const struct handoff_firmware_table *table = table_at(handoff, i);
        if (table->size_bytes != 0 && page >= (table->address & ~(PAGE - 1)) &&
            page < table->address + table->size_bytes)
            return true;
    }
    return false;
}

static uint32_t expected_type(const struct handoff *handoff, uint64_t page)
{
    uint32_t by_rows = type_by_rows(handoff, page);
    uint32_t by_blocks = type_by_blocks(handoff, page);
    uint32_t type = by_blocks > by_rows ? by_blocks : by_rows;
    if (page < LOW_MEMORY_LIMIT && page != 0 && type != HANDOFF_REGION_ACPI_RECLAIM &&
        can_become_free(type))
        return HANDOFF_REGION_LOW_MEMORY;
    if ((type == NOTHING || type == HANDOFF_REGION_RESERVED) && is_page_of_a_table(handoff, page))
        return HANDOFF_REGION_FIRMWARE_TABLES;
    bool fifth_level = (handoff->arch.x86_64.flags & HANDOFF_X86_64_FIFTH_LEVEL) != 0;
    bool is_out_of_reach = (page >= RAM_LIMIT && !fifth_level) || page >= notes_direct_map_limit();
    if (is_out_of_reach && is_ram(type))
        return HANDOFF_REGION_RESERVED;
    return page == 0 && can_become_free(type) ? HANDOFF_REGION_RESERVED : type;
}

/* Return true if a row that gives this page its type has the region's EFI type and attributes. */
static bool is_explained(const struct handoff *handoff, uint64_t page,
                         const struct handoff_region *region)
{
    uint32_t deciding = type_by_rows(handoff, page);
    if (deciding == NOTHING)
        return region->efi_type == HANDOFF_EFI_TYPE_NONE && region->attributes == 0;
    for (uint64_t i = 0; i < row_count(handoff); i++) {
        const struct row *row = row_at(handoff, i);
        if (row_covers(row, page) && row_type(row) == deciding && row->type == region->efi_type &&
            row->attributes == region->attributes)
            return true;
    }
    return false;
}

static void check_page(const struct handoff *handoff, struct promises *promises, uint64_t page)
{
    const struct handoff_region *region = block_region_of(handoff, page);
    uint32_t expected = expected_type(handoff, page);
    uint32_t found = region == NULL ? NOTHING : region->type;
    if (found != expected)
        promise_require(promises, false, "the type that the EFI map and the blocks give this page",
                        page);
    if (region != NULL)
        promise_require(promises, is_explained(handoff, page, region),
                        "the EFI type and attributes of the firmware's row", page);
}

static void check_agreement(const struct handoff *handoff, struct promises *promises)
{
    struct block blocks[BLOCK_COUNT];
    block_list(handoff, blocks);
    promise_begin(promises, "regions-follow-from-efi-map");
    check_page(handoff, promises, 0);
    check_page(handoff, promises, PAGE); /* the special rule for frame 0 ends here */
    check_page(handoff, promises, LOW_MEMORY_LIMIT);
    check_page(handoff, promises, RAM_LIMIT);
    for (uint64_t i = 0; i < row_count(handoff); i++) {
        const struct row *row = row_at(handoff, i);
        if (!row_is_sane(row))
            continue;
        check_page(handoff, promises, row_start(row));
        check_page(handoff, promises, row_end(row));
    }
    for (uint32_t i = 0; i < handoff->regions.count; i++) {
        const struct handoff_region *region = block_region(handoff, i);
        check_page(handoff, promises, region->base);
        check_page(handoff, promises, region->base + region->size_bytes);
    }
    for (unsigned i = 0; i < BLOCK_COUNT; i++) {
        check_page(handoff, promises, blocks[i].start);
        check_page(handoff, promises, blocks[i].end);
    }
    for (uint32_t i = 0; i < handoff->firmware_tables.count; i++) {
        const struct handoff_firmware_table *table = table_at(handoff, i);
        check_page(handoff, promises, table->address & ~(PAGE - 1));
        check_page(handoff, promises,
                   (table->address + table->size_bytes + PAGE - 1) & ~(PAGE - 1));
    }
    promise_end(promises);
}

void firmware_map_check(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "efi-map-is-whole-rows");
    promise_require(promises, row_count(handoff) > 0, "at least one row", 0);
    promise_require_equal(promises, 0,
                          handoff->efi_map_size_bytes % handoff->efi_descriptor_size_bytes);
    promise_require_equal(promises, 0, handoff->efi_descriptor_size_bytes % 8);
    promise_end(promises);
    check_agreement(handoff, promises);
}
