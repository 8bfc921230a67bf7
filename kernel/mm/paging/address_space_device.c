/*
 * address_space_device.c - registers and memory of devices in the kernel's address space.
 */
#include "kernel/core/panic.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/paging/address_space.h"
#include "shared/page_entry.h"

/* Return the whole pages around an untrusted range. Return false if it wraps, or ends beyond the
 * CPU's address width. */
static bool pages_around(const struct address_space *space, struct phys_addr physical,
                         uint64_t size_bytes, struct phys_range *ret_pages)
{
    struct phys_range bytes;
    if (!phys_range_from_base_size(physical, size_bytes, &bytes) ||
        bytes.end.value > UINT64_C(1) << space->table.features.physical_bits)
        return false;
    *ret_pages = phys_range(page_align_down(bytes.start.value), page_align_up(bytes.end.value));
    return true;
}

static bool touches_direct_map(const struct address_space *space, struct phys_range physical)
{
    uint64_t end = physical.end.value < space->direct_map_end.value ? physical.end.value
                                                                    : space->direct_map_end.value;
    for (uint64_t page = physical.start.value; page < end; page += PAGE_SIZE_BYTES) {
        struct page_mapping mapping;
        if (page_table_lookup(&space->table, virt_addr_add(space->direct_map.start, page),
                              &mapping) == PAGE_TABLE_OK)
            return true;
    }
    return false;
}

static bool touches_device(const struct address_space *space, struct phys_range physical)
{
    for (size_t i = 0; i < space->area_count; i++) {
        if (phys_range_overlaps(space->areas[i].device, physical))
            return true;
    }
    return false;
}

/* Check that these pages can be a device's with this memory type. Memory must not have two types,
 * and two drivers cannot both map one page. */
static enum page_table_status check_device(const struct address_space *space,
                                           struct phys_range pages,
                                           enum page_memory_type memory_type)
{
    if (memory_type == PAGE_MEMORY_WRITE_BACK || touches_direct_map(space, pages))
        return PAGE_TABLE_MEMORY_TYPE;
    return touches_device(space, pages) ? PAGE_TABLE_ALREADY_MAPPED : PAGE_TABLE_OK;
}

/* Return the place of these pages: behind an unmapped page, and congruent to the largest page that
 * they can use. */
static struct virt_addr place_device(const struct address_space *space, struct phys_range physical)
{
    uint64_t alignment = PAGE_SIZE_BYTES;
    for (unsigned level = PAGE_LEVEL_SMALLEST + 1;
         level <= space->table.features.largest_leaf_level; level++) {
        if (phys_range_size_bytes(physical) >= page_entry_span_bytes(level))
            alignment = page_entry_span_bytes(level);
    }
    struct virt_addr lowest = virt_addr_add(space->next_device, PAGE_SIZE_BYTES);
    return virt_addr_add(lowest, (physical.start.value - lowest.value) % alignment);
}

static bool has_room(const struct address_space *space, struct virt_addr base, uint64_t size_bytes)
{
    return space->area_count < ADDRESS_SPACE_AREA_LIMIT && base.value <= LAYOUT_DEVICES_END &&
           size_bytes <= LAYOUT_DEVICES_END - base.value;
}

/* Precondition: check_device(). */
static enum page_table_status map_pages(struct address_space *space, const char *name,
                                        struct phys_range pages, enum page_memory_type memory_type,
                                        struct virt_addr *ret_base)
{
    const struct page_permissions permissions = {
        .write = true, .global = true, .memory_type = memory_type};
    uint64_t size_bytes = phys_range_size_bytes(pages);
    struct virt_addr base = place_device(space, pages);
    if (!has_room(space, base, size_bytes))
        return PAGE_TABLE_NO_MEMORY;
    enum page_table_status status =
        page_table_map(&space->table, base, pages.start, size_bytes, permissions, true);
    if (status != PAGE_TABLE_OK)
        return status;
    space->next_device = virt_addr_add(base, size_bytes);
    address_space_add_area(space, (struct virt_range){base, space->next_device}, name);
    space->areas[space->area_count - 1].device = pages;
    *ret_base = base;
    return PAGE_TABLE_OK;
}

enum page_table_status address_space_map_device(struct address_space *space, const char *name,
                                                struct phys_addr physical, uint64_t size_bytes,
                                                enum page_memory_type memory_type,
                                                struct virt_addr *ret_virtual)
{
    struct phys_range pages;
    struct virt_addr base;
    if (size_bytes == 0)
        return PAGE_TABLE_EMPTY;
    if (!pages_around(space, physical, size_bytes, &pages))
        return PAGE_TABLE_PHYSICAL_TOO_HIGH;
    enum page_table_status status = check_device(space, pages, memory_type);
    if (status == PAGE_TABLE_OK)
        status = map_pages(space, name, pages, memory_type, &base);
    if (status == PAGE_TABLE_OK)
        *ret_virtual = virt_addr_add(base, physical.value - pages.start.value);
    return status;
}

static bool is_device_at(const struct address_space_area *area, struct virt_addr virtual)
{
    return !phys_range_is_empty(area->device) &&
           virt_range_contains_address(area->virtual, virtual);
}

void address_space_unmap_device(struct address_space *space, struct virt_addr virtual)
{
    size_t index = 0;
    while (index < space->area_count && !is_device_at(&space->areas[index], virtual))
        index++;
    kernel_assert(index < space->area_count);
    struct virt_range pages = space->areas[index].virtual;
    enum page_table_status status =
        page_table_unmap(&space->table, pages.start, virt_range_size_bytes(pages));
    kernel_assert(status == PAGE_TABLE_OK);
    space->area_count--;
    for (size_t i = index; i < space->area_count; i++)
        space->areas[i] = space->areas[i + 1];
}
