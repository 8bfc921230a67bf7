#include "host/simulator/firmware_model.h"

#include <stdlib.h>
#include <string.h>

#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/range.h"
#include "host/simulator/efi_names.h"
#include "host/simulator/host.h"

static void add_row(struct firmware_model *firmware, const struct memory_map_descriptor *row)
{
    if (firmware->row_count == firmware->row_capacity) {
        firmware->row_capacity = firmware->row_capacity * 2 + 16;
        firmware->rows = host_reallocate(firmware->rows, firmware->row_capacity * sizeof(*row));
    }
    firmware->rows[firmware->row_count++] = *row;
}

void firmware_model_create(struct firmware_model *firmware,
                           const struct memory_map_descriptor *rows, size_t row_count)
{
    *firmware = (struct firmware_model){0};
    for (size_t i = 0; i < row_count; i++)
        add_row(firmware, &rows[i]);
}

void firmware_model_destroy(struct firmware_model *firmware)
{
    free(firmware->rows);
}

enum memory_map_status firmware_model_regions(const struct firmware_model *firmware,
                                              const struct memory_map_claim *claims,
                                              size_t claim_count,
                                              struct handoff_region **ret_regions,
                                              struct memory_map_result *ret_result)
{
    /* The memory that memory_map_convert() needs at most. */
    size_t work_count = 2 * (firmware->row_count + claim_count);
    size_t limit = work_count + 2;
    struct handoff_region *regions = host_allocate(limit * sizeof(*regions));
    uint64_t *work = host_allocate((work_count + 1) * sizeof(*work)); /* never 0 bytes */
    const struct memory_map_request request = {
        .map = firmware->rows,
        .size_bytes = firmware->row_count * sizeof(firmware->rows[0]),
        .stride_bytes = sizeof(firmware->rows[0]),
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
        .claims = claims,
        .claim_count = claim_count,
    };
    const struct memory_map_room room = {work, work_count, regions, limit};
    enum memory_map_status status = memory_map_convert(&request, &room, ret_result);
    free(work);
    if (status == MEMORY_MAP_OK)
        *ret_regions = regions;
    else
        free(regions);
    return status;
}

/* Below 1 MiB, the row of the firmware states which memory is free, and not the region's type. */
static bool is_free(const struct handoff_region *region)
{
    return region->type == HANDOFF_REGION_USABLE ||
           (region->type == HANDOFF_REGION_LOW_MEMORY && region->efi_type == EFI_TYPE_CONVENTIONAL);
}

/* Find the end of the highest free region that has room below `limit`. */
static bool find_room_below(const struct handoff_region *regions, size_t region_count,
                            uint64_t size_bytes, uint64_t limit, struct phys_range *ret_block)
{
    for (size_t i = region_count; i-- > 0;) {
        uint64_t end = regions[i].base + regions[i].size_bytes;
        if (!is_free(&regions[i]))
            continue;
        if (end > limit)
            end = limit;
        if (end > regions[i].base && end - regions[i].base >= size_bytes) {
            *ret_block = phys_range(end - size_bytes, end);
            return true;
        }
    }
    return false;
}

/* Choose memory below 4 GiB if there is room, as OVMF does. */
static bool find_room(const struct firmware_model *firmware, uint64_t size_bytes, uint64_t limit,
                      struct phys_range *ret_block)
{
    struct handoff_region *regions;
    struct memory_map_result result;
    if (firmware_model_regions(firmware, NULL, 0, &regions, &result) != MEMORY_MAP_OK)
        return false;
    uint64_t low_limit = limit < 4 * GIB ? limit : 4 * GIB;
    bool found = find_room_below(regions, result.region_count, size_bytes, low_limit, ret_block) ||
                 find_room_below(regions, result.region_count, size_bytes, limit, ret_block);
    free(regions);
    return found;
}

/* Write the bytes of a row. Return false for a row that memory_map.c drops, too. */
static bool row_range(const struct memory_map_descriptor *row, struct phys_range *ret_range)
{
    return row->page_count <= MEMORY_MAP_PHYSICAL_LIMIT_BYTES / PAGE_SIZE_BYTES &&
           phys_range_from_base_size(phys_addr(row->physical_start),
                                     row->page_count * PAGE_SIZE_BYTES, ret_range);
}

/* Remove the block from one row. The memory behind the block becomes a new row. */
static void cut_row(struct firmware_model *firmware, size_t index, struct phys_range block)
{
    struct memory_map_descriptor row = firmware->rows[index];
    struct phys_range range;
    if (row.type != EFI_TYPE_CONVENTIONAL || !row_range(&row, &range) ||
        !phys_range_overlaps(range, block))
        return;
    firmware->rows[index].page_count =
        block.start.value > range.start.value
            ? (block.start.value - range.start.value) / PAGE_SIZE_BYTES
            : 0;
    if (block.end.value < range.end.value) {
        row.physical_start = block.end.value;
        row.page_count = (range.end.value - block.end.value) / PAGE_SIZE_BYTES;
        add_row(firmware, &row);
    }
}

/* Remove a row if the block covers all of it. Rows that were empty before stay, as a mistake of the
 * firmware. */
static void remove_row_if_emptied(struct firmware_model *firmware, size_t index, bool was_empty)
{
    if (was_empty || firmware->rows[index].page_count != 0)
        return;
    memmove(&firmware->rows[index], &firmware->rows[index + 1],
            (firmware->row_count - index - 1) * sizeof(firmware->rows[0]));
    firmware->row_count--;
}

static void take_block(struct firmware_model *firmware, struct phys_range block, uint32_t efi_type)
{
    for (size_t i = firmware->row_count; i-- > 0;) {
        bool was_empty = firmware->rows[i].page_count == 0;
        cut_row(firmware, i, block);
        remove_row_if_emptied(firmware, i, was_empty);
    }
    const struct memory_map_descriptor row = {
        .type = efi_type,
        .physical_start = block.start.value,
        .page_count = phys_range_size_bytes(block) / PAGE_SIZE_BYTES,
        .attribute = EFI_ATTRIBUTES_OF_RAM,
    };
    add_row(firmware, &row);
}

bool firmware_model_allocate(struct firmware_model *firmware, uint64_t size_bytes,
                             uint32_t efi_type, uint64_t limit_bytes, uint64_t *ret_base)
{
    struct phys_range block;
    if (!find_room(firmware, size_bytes, limit_bytes, &block))
        return false;
    take_block(firmware, block, efi_type);
    *ret_base = block.start.value;
    return true;
}

static bool block_is_free(const struct firmware_model *firmware, struct phys_range block)
{
    struct handoff_region *regions;
    struct memory_map_result result;
    bool found = false;
    if (firmware_model_regions(firmware, NULL, 0, &regions, &result) != MEMORY_MAP_OK)
        return false;
    for (size_t i = 0; i < result.region_count; i++) {
        struct phys_range region =
            phys_range(regions[i].base, regions[i].base + regions[i].size_bytes);
        found = found || (is_free(&regions[i]) && phys_range_contains(region, block));
    }
    free(regions);
    return found;
}

bool firmware_model_allocate_at(struct firmware_model *firmware, uint64_t base, uint64_t size_bytes,
                                uint32_t efi_type)
{
    struct phys_range block = phys_range(base, base + size_bytes);
    if (!block_is_free(firmware, block))
        return false;
    take_block(firmware, block, efi_type);
    return true;
}
