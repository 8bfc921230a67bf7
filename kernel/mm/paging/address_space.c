#include "kernel/mm/paging/address_space.h"

#include "kernel/mm/frames/frame_reserve.h"
#include "kernel/mm/layout.h"
#include "kernel/core/panic.h"
#include "shared/direct_map.h"
#include "shared/region.h"

static const struct page_permissions RAM_PERMISSIONS = {
    .write = true, .execute = false, .global = true, .memory_type = PAGE_MEMORY_WRITE_BACK};

static struct frame_reserve *reserve_of(const struct address_space *space)
{
    return space->environment.reserve(space->environment.context);
}

/* --- Callbacks of the page table -------------------------------------------------------------- */

static bool allocate_table(void *context, struct phys_addr *ret_table)
{
    struct address_space *space = context;
    return frame_reserve_allocate(reserve_of(space), ret_table);
}

static void free_table(void *context, struct phys_addr table)
{
    struct address_space *space = context;
    frame_reserve_free(reserve_of(space), table);
}

static uint64_t *access_table(void *context, struct phys_addr table)
{
    struct address_space *space = context;
    return space->environment.access(space->environment.context, table);
}

static void invalidate(void *context, struct virt_addr start, uint64_t size_bytes)
{
    struct address_space *space = context;
    const struct address_space_environment *environment = &space->environment;
    if (environment->invalidate != NULL)
        environment->invalidate(environment->context, start, size_bytes);
    if (environment->shoot_down != NULL)
        environment->shoot_down(environment->context, start, size_bytes);
}

/* --- Build ------------------------------------------------------------------------------------ */

struct range kernel_layout_physical(const struct kernel_layout *layout, struct range virtual)
{
    uint64_t start = layout->physical_base.value + (virtual.start - layout->virtual_base.value);
    return (struct range){start, start + range_size_bytes(virtual)};
}

static enum page_table_status map_image(struct address_space *space,
                                        const struct kernel_layout *layout)
{
    for (size_t i = 0; i < layout->segment_count; i++) {
        const struct kernel_segment *segment = &layout->segments[i];
        if (range_is_empty(segment->virtual))
            continue;
        struct range physical = kernel_layout_physical(layout, segment->virtual);
        enum page_table_status status = page_table_map(
            &space->table, virt_addr(segment->virtual.start), phys_addr(physical.start),
            range_size_bytes(physical),
            (struct page_permissions){
                .write = segment->write, .execute = segment->execute, .global = true},
            true);
        if (status != PAGE_TABLE_OK)
            return status;
        address_space_add_area(space, segment->virtual, segment->name);
    }
    return PAGE_TABLE_OK;
}

static uint64_t direct_map_capacity_bytes(const struct address_space *space)
{
    return range_size_bytes(space->direct_map);
}

static enum page_table_status map_direct(struct address_space *space, struct range physical,
                                         struct page_permissions permissions)
{
    enum page_table_status status =
        page_table_map(&space->table, virt_addr(space->direct_map.start + physical.start),
                       phys_addr(physical.start), range_size_bytes(physical), permissions, true);
    if (status == PAGE_TABLE_OK && physical.end > space->direct_map_size_bytes)
        space->direct_map_size_bytes = physical.end;
    return status;
}

static enum page_table_status map_ram(struct address_space *space,
                                      const struct address_space_plan *plan)
{
    struct phys_range run;
    const struct phys_addr limit = phys_addr(direct_map_capacity_bytes(space));
    for (size_t index = 0;
         region_next_ram_run(plan->regions, plan->region_count, limit, &index, &run);) {
        enum page_table_status status =
            map_direct(space, (struct range){run.start.value, run.end.value}, RAM_PERMISSIONS);
        if (status != PAGE_TABLE_OK)
            return status;
        space->direct_map_mapped_bytes += phys_range_size_bytes(run);
    }
    return PAGE_TABLE_OK;
}

static void add_direct_map_area(struct address_space *space, struct range physical,
                                const char *name)
{
    uint64_t base = space->direct_map.start;
    address_space_add_area(space, (struct range){base + physical.start, base + physical.end}, name);
    space->areas[space->area_count - 1].is_through_direct_map = true;
}

static enum page_table_status map_framebuffer(struct address_space *space, struct range physical)
{
    if (range_is_empty(physical))
        return PAGE_TABLE_OK;
    if (physical.end > direct_map_capacity_bytes(space))
        return PAGE_TABLE_PHYSICAL_TOO_HIGH;
    struct page_permissions permissions = RAM_PERMISSIONS;
    permissions.memory_type = PAGE_MEMORY_WRITE_COMBINING;
    add_direct_map_area(space, physical, "framebuffer");
    return map_direct(space, physical, permissions);
}

/* What the image must not write cannot be written through the direct map either. Its data stays
 * writable there: the fixed early heap lies in it and is given to others one day. */
static enum page_table_status protect_image(struct address_space *space,
                                            const struct kernel_layout *layout)
{
    struct page_permissions permissions = RAM_PERMISSIONS;
    permissions.write = false;
    for (size_t i = 0; i < layout->segment_count; i++) {
        const struct kernel_segment *segment = &layout->segments[i];
        if (segment->write || range_is_empty(segment->virtual))
            continue;
        struct range physical = kernel_layout_physical(layout, segment->virtual);
        enum page_table_status status =
            page_table_protect(&space->table, virt_addr(space->direct_map.start + physical.start),
                               range_size_bytes(physical), permissions);
        if (status != PAGE_TABLE_OK)
            return status;
        add_direct_map_area(space, physical, segment->name);
    }
    return PAGE_TABLE_OK;
}

enum page_table_status address_space_build(struct address_space *space,
                                           const struct address_space_plan *plan,
                                           const struct address_space_environment *environment)
{
    uint64_t direct_map_start = direct_map_base(plan->features.levels);
    uint64_t capacity_bytes = direct_map_limit_bytes(plan->features.levels);
    *space = (struct address_space){
        .environment = *environment,
        .direct_map = {direct_map_start, direct_map_start + capacity_bytes},
        .next_stack = virt_addr(LAYOUT_STACKS_BASE),
        .next_device = virt_addr(LAYOUT_DEVICES_BASE),
    };
    const struct page_table_memory memory = {
        .context = space,
        .allocate_table = allocate_table,
        .free_table = free_table,
        .access_table = access_table,
        .invalidate = invalidate,
    };
    enum page_table_status status = page_table_create(&plan->features, &memory, &space->table);
    if (status != PAGE_TABLE_OK)
        return status;

    add_direct_map_area(space, (struct range){0, capacity_bytes}, "RAM");
    status = map_image(space, &plan->layout);
    if (status == PAGE_TABLE_OK)
        status = map_ram(space, plan);
    if (status == PAGE_TABLE_OK)
        status = protect_image(space, &plan->layout);
    if (status == PAGE_TABLE_OK)
        status = map_framebuffer(space, plan->framebuffer);
    if (status != PAGE_TABLE_OK) {
        address_space_destroy(space);
        return status;
    }
    address_space_add_guard(space, (struct range){0, PAGE_SIZE_BYTES}, "null pointer", false);
    return PAGE_TABLE_OK;
}

void address_space_destroy(struct address_space *space)
{
    page_table_destroy(&space->table);
}

/* --- Frames behind addresses ------------------------------------------------------------------ */

static enum page_table_status map_new_frame(struct address_space *space,
                                            struct frame_reserve *reserve, struct virt_addr page)
{
    struct phys_addr frame;
    if (!frame_reserve_allocate(reserve, &frame))
        return PAGE_TABLE_NO_MEMORY;
    enum page_table_status status =
        page_table_map(&space->table, page, frame, PAGE_SIZE_BYTES, RAM_PERMISSIONS, false);
    if (status != PAGE_TABLE_OK)
        frame_reserve_free(reserve, frame);
    return status;
}

enum page_table_status address_space_map_frames(struct address_space *space, struct virt_addr start,
                                                uint64_t page_count)
{
    struct frame_reserve *reserve = reserve_of(space);
    for (uint64_t i = 0; i < page_count; i++) {
        enum page_table_status status =
            map_new_frame(space, reserve, virt_addr_add(start, i * PAGE_SIZE_BYTES));
        if (status != PAGE_TABLE_OK) {
            address_space_unmap_frames(space, start, i);
            return status;
        }
    }
    return PAGE_TABLE_OK;
}

/* So many pages are unmapped at once: their translations are dropped together, here and on the
 * other CPUs. Half a kilobyte of stack. */
#define UNMAP_PAGE_COUNT 64

/* The frames go back only after their translations are gone, so that no CPU can still write to
 * them. */
static void unmap_some_frames(struct address_space *space, struct virt_addr start,
                              uint64_t page_count)
{
    struct phys_addr frames[UNMAP_PAGE_COUNT];
    for (uint64_t i = 0; i < page_count; i++) {
        struct page_mapping mapping;
        enum page_table_status status =
            page_table_lookup(&space->table, virt_addr_add(start, i * PAGE_SIZE_BYTES), &mapping);
        kernel_assert(status == PAGE_TABLE_OK && mapping.page_size_bytes == PAGE_SIZE_BYTES);
        frames[i] = mapping.physical;
    }
    enum page_table_status status =
        page_table_unmap(&space->table, start, page_count * PAGE_SIZE_BYTES);
    kernel_assert(status == PAGE_TABLE_OK);
    struct frame_reserve *reserve = reserve_of(space);
    for (uint64_t i = page_count; i > 0; i--)
        frame_reserve_free(reserve, frames[i - 1]);
}

void address_space_unmap_frames(struct address_space *space, struct virt_addr start,
                                uint64_t page_count)
{
    while (page_count > 0) {
        uint64_t count = page_count < UNMAP_PAGE_COUNT ? page_count : UNMAP_PAGE_COUNT;
        page_count -= count;
        unmap_some_frames(space, virt_addr_add(start, page_count * PAGE_SIZE_BYTES), count);
    }
}

enum page_table_status address_space_map_stack(struct address_space *space, const char *name,
                                               uint64_t size_bytes, struct virt_addr *ret_top)
{
    if (size_bytes == 0)
        return PAGE_TABLE_EMPTY;
    if (!page_is_aligned(size_bytes))
        return PAGE_TABLE_UNALIGNED;

    struct virt_addr guard = space->next_stack;
    struct virt_addr base = virt_addr_add(guard, PAGE_SIZE_BYTES);
    enum page_table_status status =
        address_space_map_frames(space, base, size_bytes / PAGE_SIZE_BYTES);
    if (status != PAGE_TABLE_OK)
        return status;

    address_space_add_guard(space, (struct range){guard.value, base.value}, name, true);
    address_space_add_area(space, (struct range){base.value, base.value + size_bytes}, name);
    /* The next stack's guard page is what lies above this one. */
    space->next_stack = virt_addr_add(base, size_bytes);
    *ret_top = space->next_stack;
    return PAGE_TABLE_OK;
}

/* --- Devices ---------------------------------------------------------------------------------- */

/* Whole pages around a foreign range. False if it wraps or ends beyond what a page-table entry can
 * name. */
static bool pages_around(struct phys_addr physical, uint64_t size_bytes, struct range *ret_pages)
{
    struct range bytes;
    if (!range_from_base_size(physical.value, size_bytes, &bytes) ||
        bytes.end > DIRECT_MAP_LIMIT_BYTES_5_LEVELS)
        return false;
    *ret_pages = (struct range){page_align_down(bytes.start), page_align_up(bytes.end)};
    return true;
}

static bool touches_direct_map(const struct address_space *space, struct range physical)
{
    if (physical.end > space->direct_map_size_bytes)
        physical.end = space->direct_map_size_bytes;
    for (uint64_t page = physical.start; page < physical.end; page += PAGE_SIZE_BYTES) {
        struct page_mapping mapping;
        if (page_table_lookup(&space->table, virt_addr(space->direct_map.start + page), &mapping) ==
            PAGE_TABLE_OK)
            return true;
    }
    return false;
}

static bool touches_device(const struct address_space *space, struct range physical)
{
    for (size_t i = 0; i < space->area_count; i++) {
        if (range_overlaps(space->areas[i].device, physical))
            return true;
    }
    return false;
}

/* Where these pages go: behind an unmapped one, and congruent to the largest page that they can
 * use.
 */
static struct virt_addr place_device(const struct address_space *space, struct range physical)
{
    uint64_t alignment = PAGE_SIZE_BYTES;
    if (range_size_bytes(physical) >= 2 * MIB)
        alignment = 2 * MIB;
    if (range_size_bytes(physical) >= GIB)
        alignment = GIB;
    uint64_t lowest = space->next_device.value + PAGE_SIZE_BYTES;
    uint64_t offset = (physical.start - lowest) % alignment;
    return virt_addr(lowest + offset);
}

enum page_table_status address_space_map_device(struct address_space *space, const char *name,
                                                struct phys_addr physical, uint64_t size_bytes,
                                                enum page_memory_type memory_type,
                                                struct virt_addr *ret_virtual)
{
    struct range pages;
    if (size_bytes == 0)
        return PAGE_TABLE_EMPTY;
    if (!pages_around(physical, size_bytes, &pages))
        return PAGE_TABLE_PHYSICAL_TOO_HIGH;
    if (memory_type == PAGE_MEMORY_WRITE_BACK || touches_direct_map(space, pages))
        return PAGE_TABLE_MEMORY_TYPE;
    if (touches_device(space, pages))
        return PAGE_TABLE_ALREADY_MAPPED;
    struct virt_addr base = place_device(space, pages);
    if (space->area_count == ADDRESS_SPACE_AREA_LIMIT || base.value > LAYOUT_DEVICES_END ||
        range_size_bytes(pages) > LAYOUT_DEVICES_END - base.value)
        return PAGE_TABLE_NO_MEMORY;

    struct page_permissions permissions = RAM_PERMISSIONS;
    permissions.memory_type = memory_type;
    enum page_table_status status = page_table_map(&space->table, base, phys_addr(pages.start),
                                                   range_size_bytes(pages), permissions, true);
    if (status != PAGE_TABLE_OK)
        return status;
    space->next_device = virt_addr_add(base, range_size_bytes(pages));
    address_space_add_area(space, (struct range){base.value, space->next_device.value}, name);
    space->areas[space->area_count - 1].device = pages;
    *ret_virtual = virt_addr_add(base, physical.value - pages.start);
    return PAGE_TABLE_OK;
}

void address_space_unmap_device(struct address_space *space, struct virt_addr virtual)
{
    size_t index = 0;
    while (index < space->area_count &&
           (range_is_empty(space->areas[index].device) ||
            !range_contains_address(space->areas[index].virtual, virtual.value)))
        index++;
    kernel_assert(index < space->area_count);
    struct range pages = space->areas[index].virtual;
    enum page_table_status status =
        page_table_unmap(&space->table, virt_addr(pages.start), range_size_bytes(pages));
    kernel_assert(status == PAGE_TABLE_OK);
    space->area_count--;
    for (size_t i = index; i < space->area_count; i++)
        space->areas[i] = space->areas[i + 1];
}

/* --- Guards and areas ------------------------------------------------------------------------- */

void address_space_add_guard(struct address_space *space, struct range virtual, const char *name,
                             bool is_stack)
{
    kernel_assert(space->guard_count < ADDRESS_SPACE_GUARD_LIMIT);
    space->guards[space->guard_count++] =
        (struct address_space_guard){.virtual = virtual, .name = name, .is_stack = is_stack};
}

const struct address_space_guard *address_space_find_guard(const struct address_space *space,
                                                           struct virt_addr address)
{
    for (size_t i = 0; i < space->guard_count; i++) {
        if (range_contains_address(space->guards[i].virtual, address.value))
            return &space->guards[i];
    }
    return NULL;
}

void address_space_add_area(struct address_space *space, struct range virtual, const char *name)
{
    kernel_assert(space->area_count < ADDRESS_SPACE_AREA_LIMIT);
    space->areas[space->area_count++] =
        (struct address_space_area){.virtual = virtual, .name = name};
}

const struct address_space_area *address_space_find_area(const struct address_space *space,
                                                         struct virt_addr address)
{
    for (size_t i = space->area_count; i > 0; i--) {
        if (range_contains_address(space->areas[i - 1].virtual, address.value))
            return &space->areas[i - 1];
    }
    return NULL;
}
