#include "kernel/mm/region_list.h"

#include "shared/address.h"
#include "shared/region.h"

const struct handoff_region *region_list_at(const struct region_list *list, uint32_t index)
{
    const uint8_t *bytes = list->first;
    return (const void *)(bytes + (uint64_t)index * list->stride_bytes);
}

struct phys_range region_list_range(const struct region_list *list, uint32_t index)
{
    const struct handoff_region *region = region_list_at(list, index);
    return phys_range(region->base, region->base + region->size_bytes);
}

bool region_list_is_normalised(const struct region_list *list)
{
    uint64_t previous_end = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct handoff_region *region = region_list_at(list, i);
        struct phys_range range;
        if (!phys_range_from_base_size(phys_addr(region->base), region->size_bytes, &range))
            return false;
        if (phys_range_is_empty(range) || range.start.value < previous_end ||
            range.end.value > REGION_LIST_PHYSICAL_LIMIT)
            return false;
        if (!page_is_aligned(range.start.value) || !page_is_aligned(range.end.value))
            return false;
        previous_end = range.end.value;
    }
    return true;
}

/* Rows that touch count as one. */
static bool is_covered(const struct region_list *list, struct phys_range range,
                       bool (*accepts)(const struct handoff_region *region, uint32_t wanted),
                       uint32_t wanted)
{
    if (phys_range_is_empty(range))
        return false;
    struct phys_addr covered_end = range.start;
    for (uint32_t i = 0; i < list->count && covered_end.value < range.end.value; i++) {
        struct phys_range row = region_list_range(list, i);
        if (accepts(region_list_at(list, i), wanted) &&
            phys_range_contains_address(row, covered_end))
            covered_end = row.end;
    }
    return covered_end.value >= range.end.value;
}

static bool accepts_one_type(const struct handoff_region *region, uint32_t wanted)
{
    return region->type == wanted;
}

static bool accepts_ram(const struct handoff_region *region, uint32_t wanted)
{
    (void)wanted;
    return region_is_mapped_ram(region);
}

bool region_list_covers(const struct region_list *list, struct phys_range range, uint32_t type)
{
    return is_covered(list, range, accepts_one_type, type);
}

uint64_t region_list_bytes_of_type(const struct region_list *list, uint32_t type)
{
    uint64_t sum_bytes = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct handoff_region *region = region_list_at(list, i);
        sum_bytes += region->type == type ? region->size_bytes : 0;
    }
    return sum_bytes;
}

bool region_list_is_ram(const struct region_list *list, struct phys_range range)
{
    return is_covered(list, range, accepts_ram, 0);
}
