#include "bootloader/firmware/temp_heap.h"

#include "bootloader/firmware/exit.h"
#include "bootloader/pure/memory_map.h"
#include "shared/address.h"

/* The map may grow by the allocation of its own buffer. */
#define MAP_SLACK_ROWS 8

/* No physical address is higher. So sums of rows and heaps do not wrap. */
#define ADDRESS_LIMIT (UINT64_C(1) << 52)

/* Return the lowest address at which the row has room for the heap, or UINT64_MAX. */
static uint64_t place_in_row(const struct memory_map_descriptor *row,
                             const struct config_heap *wanted)
{
    if (row->type != EfiConventionalMemory || row->physical_start > ADDRESS_LIMIT ||
        row->page_count > ADDRESS_LIMIT >> PAGE_SHIFT)
        return UINT64_MAX;
    uint64_t start = row->physical_start < wanted->from ? wanted->from : row->physical_start;
    uint64_t row_end = row->physical_start + (row->page_count << PAGE_SHIFT);
    bool has_room = page_is_aligned(start) && start + wanted->size_bytes <= row_end;
    return has_room ? start : UINT64_MAX;
}

static uint64_t lowest_place(const struct efi_map *map, const struct config_heap *wanted)
{
    uint64_t lowest = UINT64_MAX;
    for (uint64_t offset = 0; offset + map->stride_bytes <= map->size_bytes;
         offset += map->stride_bytes) {
        uint64_t place = place_in_row((const void *)((const uint8_t *)map->rows + offset), wanted);
        lowest = place < lowest ? place : lowest;
    }
    return lowest;
}

/* The firmware can allocate below an address, but not above one. So the loader looks in the map. */
static enum loader_error find_place(struct pages *pages, const struct config_heap *wanted,
                                    uint64_t *ret_place)
{
    struct efi_map map;
    struct phys_range buffer;
    enum loader_error error = exit_measure_map(&map);
    if (error != LOADER_OK)
        return error;
    map.capacity_bytes = map.size_bytes + MAP_SLACK_ROWS * map.stride_bytes;
    error = pages_allocate(pages, map.capacity_bytes, HANDOFF_REGION_LOADER, &buffer);
    if (error != LOADER_OK)
        return error;
    map.rows = (void *)buffer.start.value;
    EFI_STATUS status = exit_read_map(&map);
    bool is_good = !EFI_ERROR(status) && map.stride_bytes >= sizeof(struct memory_map_descriptor);
    if (is_good)
        *ret_place = lowest_place(&map, wanted);
    pages_free(pages, buffer.start);
    if (!is_good)
        return error_set(LOADER_ERROR_MEMORY_MAP, status, "reading it");
    return LOADER_OK;
}

static enum loader_error reserve_from(struct pages *pages, const struct config_heap *wanted,
                                      struct phys_range *ret_heap)
{
    uint64_t place = UINT64_MAX;
    enum loader_error error = find_place(pages, wanted, &place);
    if (error != LOADER_OK)
        return error;
    if (place == UINT64_MAX ||
        (pages->limit.value != 0 && place + wanted->size_bytes > pages->limit.value))
        return error_set(LOADER_ERROR_OUT_OF_MEMORY, EFI_NOT_FOUND, "a temporary heap");
    return pages_allocate_at(pages, phys_addr(place), wanted->size_bytes, HANDOFF_REGION_TEMP_HEAP,
                             ret_heap);
}

static enum loader_error reserve(struct pages *pages, const struct config_heap *wanted,
                                 struct phys_range *ret_heap)
{
    if (wanted->from != 0)
        return reserve_from(pages, wanted, ret_heap);
    return pages_allocate_below(pages, wanted->size_bytes, phys_addr(wanted->below),
                                HANDOFF_REGION_TEMP_HEAP, ret_heap);
}

enum loader_error temp_heaps_reserve(struct pages *pages, const struct config_heaps *wanted,
                                     struct phys_range heaps[CONFIG_HEAP_LIMIT])
{
    for (unsigned i = 0; i < wanted->count; i++) {
        enum loader_error error = reserve(pages, &wanted->list[i], heaps);
        if (error == LOADER_ERROR_OUT_OF_MEMORY) {
            console_warn("no temporary heap %u: the firmware does not have %llu KiB there (%s)",
                         i + 1, wanted->list[i].size_bytes / KIB,
                         error_status_name(last_failure.status));
            continue;
        }
        if (error != LOADER_OK)
            return error;
        console_log("temporary heap: %llu KiB at %llx", phys_range_size_bytes(*heaps) / KIB,
                    heaps->start.value);
        heaps++;
    }
    return LOADER_OK;
}
