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

static void publish(void *context)
{
    struct address_space *space = context;
    if (space->environment.publish != NULL)
        space->environment.publish(space->environment.context);
}

/* --- Build ------------------------------------------------------------------------------------ */

struct phys_range kernel_layout_physical(const struct kernel_layout *layout,
                                         struct virt_range virtual)
{
    uint64_t offset_bytes = virtual.start.value - layout->virtual_base.value;
    struct phys_addr start = phys_addr_add(layout->physical_base, offset_bytes);
    return (struct phys_range){start, phys_addr_add(start, virt_range_size_bytes(virtual))};
}

static enum page_table_status map_image(struct address_space *space,
                                        const struct kernel_layout *layout)
{
    for (size_t i = 0; i < layout->segment_count; i++) {
        const struct kernel_segment *segment = &layout->segments[i];
        if (virt_range_is_empty(segment->virtual))
            continue;
        const struct page_permissions permissions = {
            .write = segment->write, .execute = segment->execute, .global = true};
        struct phys_range physical = kernel_layout_physical(layout, segment->virtual);
        enum page_table_status status =
            page_table_map(&space->table, segment->virtual.start, physical.start,
                           phys_range_size_bytes(physical), permissions, true);
        if (status != PAGE_TABLE_OK)
            return status;
        address_space_add_area(space, segment->virtual, segment->name);
    }
    return PAGE_TABLE_OK;
}

/* Return one past the highest physical address for which the window has room. */
static struct phys_addr direct_map_capacity(const struct address_space *space)
{
    return phys_addr(virt_range_size_bytes(space->direct_map));
}

/* Return the addresses of a range in the direct map, mapped or not. */
static struct virt_range in_direct_map(const struct address_space *space,
                                       struct phys_range physical)
{
    struct virt_addr base = space->direct_map.start;
    return (struct virt_range){virt_addr_add(base, physical.start.value),
                               virt_addr_add(base, physical.end.value)};
}

static enum page_table_status map_direct(struct address_space *space, struct phys_range physical,
                                         struct page_permissions permissions)
{
    enum page_table_status status =
        page_table_map(&space->table, in_direct_map(space, physical).start, physical.start,
                       phys_range_size_bytes(physical), permissions, true);
    if (status == PAGE_TABLE_OK && physical.end.value > space->direct_map_end.value)
        space->direct_map_end = physical.end;
    return status;
}

static enum page_table_status map_ram(struct address_space *space,
                                      const struct address_space_plan *plan)
{
    const struct phys_addr limit = direct_map_capacity(space);
    struct phys_range run;
    for (size_t index = 0;
         region_next_ram_run(plan->regions, plan->region_count, limit, &index, &run);) {
        enum page_table_status status = map_direct(space, run, RAM_PERMISSIONS);
        if (status != PAGE_TABLE_OK)
            return status;
        space->direct_map_mapped_bytes += phys_range_size_bytes(run);
    }
    return PAGE_TABLE_OK;
}

static void add_direct_map_area(struct address_space *space, struct phys_range physical,
                                const char *name)
{
    address_space_add_area(space, in_direct_map(space, physical), name);
    space->areas[space->area_count - 1].is_through_direct_map = true;
}

static enum page_table_status map_framebuffer(struct address_space *space,
                                              struct phys_range physical)
{
    if (phys_range_is_empty(physical))
        return PAGE_TABLE_OK;
    if (physical.end.value > direct_map_capacity(space).value)
        return PAGE_TABLE_PHYSICAL_TOO_HIGH;
    struct page_permissions permissions = RAM_PERMISSIONS;
    permissions.memory_type = PAGE_MEMORY_WRITE_COMBINING;
    add_direct_map_area(space, physical, "framebuffer");
    return map_direct(space, physical, permissions);
}

/* The read-only parts of the image are read-only in the direct map, too. The image's data stays
 * writable there: it contains the fallback region, whose frames become free later. */
static enum page_table_status protect_image(struct address_space *space,
                                            const struct kernel_layout *layout)
{
    struct page_permissions permissions = RAM_PERMISSIONS;
    permissions.write = false;
    for (size_t i = 0; i < layout->segment_count; i++) {
        const struct kernel_segment *segment = &layout->segments[i];
        if (segment->write || virt_range_is_empty(segment->virtual))
            continue;
        struct phys_range physical = kernel_layout_physical(layout, segment->virtual);
        enum page_table_status status =
            page_table_protect(&space->table, in_direct_map(space, physical).start,
                               phys_range_size_bytes(physical), permissions);
        if (status != PAGE_TABLE_OK)
            return status;
        add_direct_map_area(space, physical, segment->name);
    }
    return PAGE_TABLE_OK;
}

static enum page_table_status create(struct address_space *space,
                                     const struct page_table_features *features,
                                     const struct address_space_environment *environment)
{
    struct virt_addr base = direct_map_base(features->levels);
    uint64_t capacity_bytes = direct_map_limit(features->levels).value;
    *space = (struct address_space){
        .environment = *environment,
        .direct_map = {base, virt_addr_add(base, capacity_bytes)},
        .next_stack = virt_addr(LAYOUT_STACKS_BASE),
        .next_device = virt_addr(LAYOUT_DEVICES_BASE),
    };
    const struct page_table_memory memory = {
        .context = space,
        .allocate_table = allocate_table,
        .free_table = free_table,
        .access_table = access_table,
        .invalidate = invalidate,
        .publish = publish,
    };
    return page_table_create(features, &memory, &space->table);
}

static enum page_table_status map_all(struct address_space *space,
                                      const struct address_space_plan *plan)
{
    const struct phys_range whole = {phys_addr(0), direct_map_capacity(space)};
    add_direct_map_area(space, whole, "RAM");
    enum page_table_status status = map_image(space, &plan->layout);
    if (status == PAGE_TABLE_OK)
        status = map_ram(space, plan);
    if (status == PAGE_TABLE_OK)
        status = protect_image(space, &plan->layout);
    if (status == PAGE_TABLE_OK)
        status = map_framebuffer(space, plan->framebuffer);
    return status;
}

enum page_table_status address_space_build(struct address_space *space,
                                           const struct address_space_plan *plan,
                                           const struct address_space_environment *environment)
{
    enum page_table_status status = create(space, &plan->features, environment);
    if (status != PAGE_TABLE_OK)
        return status;
    status = map_all(space, plan);
    if (status != PAGE_TABLE_OK) {
        address_space_destroy(space);
        return status;
    }
    address_space_add_guard(space, virt_range(0, PAGE_SIZE_BYTES), "null pointer", false);
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

/* The number of pages that are unmapped together. Their translations are dropped in one call, on
 * all CPUs. The list takes half a kilobyte of stack. */
#define UNMAP_PAGE_COUNT 64

/* The frames become free only after their translations are dropped. So no CPU can still write to
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

    /* The next stack's guard page lies directly above this stack. */
    space->next_stack = virt_addr_add(base, size_bytes);
    address_space_add_guard(space, (struct virt_range){guard, base}, name, true);
    address_space_add_area(space, (struct virt_range){base, space->next_stack}, name);
    *ret_top = space->next_stack;
    return PAGE_TABLE_OK;
}
