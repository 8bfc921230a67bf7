#include "bootloader/pure/bootstrap_tables.h"

#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/page_entry.h"
#include "shared/range.h"
#include "shared/region.h"

/* No entry is global: a global entry would survive the kernel's switch to its own tables. */
static const struct page_permissions READ_WRITE = {.write = true};

/* --- The mappings of the plan --- */

static uint64_t segment_pages_end(const struct elf_segment *segment)
{
    return page_align_up(segment->memory.end.value);
}

/* Return a segment in whole pages. Segments with equal permissions may share a page, which the
 * first of them maps. So the range may be empty. */
static struct virt_range segment_pages(const struct elf_plan *kernel, unsigned index)
{
    const struct elf_segment *segments = kernel->segments;
    uint64_t start = page_align_down(segments[index].memory.start.value);
    if (index > 0 && start < segment_pages_end(&segments[index - 1]))
        start = segment_pages_end(&segments[index - 1]);
    return virt_range(start, segment_pages_end(&segments[index]));
}

/* The facts of regions that are mapped. */
#define FACTS_OF_TABLES HANDOFF_FACT_MAPPED                           /* of the firmware */
#define FACTS_OF_PIXELS (HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE) /* of a framebuffer */
#define FACTS_OF_RAM    (HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE | HANDOFF_FACT_RAM)

/* Find the next region with exactly these facts, or the next run of RAM, from *index on. Move *index
 * behind it. Return false if none follows. */
static bool next_with_facts(const struct bootstrap_plan *plan, uint32_t facts,
                            struct phys_addr limit, size_t *index, struct phys_range *ret_range)
{
    if (facts == FACTS_OF_RAM)
        return region_next_ram_run(plan->regions, plan->region_count, limit, index, ret_range);
    while (*index < plan->region_count) {
        const struct handoff_region *region = &plan->regions[(*index)++];
        if ((region->facts & FACTS_OF_RAM) == facts) {
            *ret_range = phys_range(region->base, region->base + region->size_bytes);
            return true;
        }
    }
    return false;
}

/* One walk over the mappings of the plan: they are counted first, and made later. */
struct walk {
    const struct bootstrap_plan *plan;
    const struct page_table_features *features;
    struct page_table *table; /* NULL: only count the tables */
    uint64_t direct_map_size_bytes;
    uint64_t table_count;
    uint64_t last_counted[6]; /* by level: number of the last table counted, plus one */
};

/* --- The bound --- */

/* Count the tables of a level for a range. A table that this range shares with the one before is
 * counted once. */
static void count_tables(struct walk *walk, unsigned level, uint64_t first_address,
                         uint64_t last_address)
{
    uint64_t bytes_per_table = page_entry_span_bytes(level + 1);
    uint64_t first = first_address / bytes_per_table + 1;
    uint64_t last = last_address / bytes_per_table + 1;
    walk->table_count += last - first + (walk->last_counted[level] != first);
    walk->last_counted[level] = last;
}

/* If large pages can replace whole tables, only the two ends of the range need tables of that level.
 * An end that is aligned needs none. Precondition: not empty. */
static void count_range(struct walk *walk, uint64_t start, uint64_t physical, uint64_t size_bytes,
                        bool large_pages)
{
    uint64_t last = start + (size_bytes - 1);
    for (unsigned level = PAGE_LEVEL_SMALLEST; level < walk->features->levels; level++) {
        uint64_t mask = page_entry_span_bytes(level + 1) - 1;
        if (!large_pages || level >= walk->features->largest_leaf_level ||
            ((start ^ physical) & mask) != 0) {
            count_tables(walk, level, start, last);
            continue;
        }
        if ((start & mask) != 0)
            count_tables(walk, level, start, start);
        if ((last & mask) != mask)
            count_tables(walk, level, last, last);
    }
}

/* --- The walk --- */

static enum page_table_status add(struct walk *walk, struct virt_addr virtual,
                                  struct phys_addr physical, uint64_t size_bytes,
                                  struct page_permissions permissions, bool large_pages)
{
    if (walk->table != NULL)
        return page_table_add(walk->table, virtual, physical, size_bytes, permissions, large_pages);
    count_range(walk, virtual.value, physical.value, size_bytes, large_pages);
    return PAGE_TABLE_OK;
}

static enum page_table_status add_kernel(struct walk *walk)
{
    const struct elf_plan *kernel = walk->plan->kernel;
    enum page_table_status status = PAGE_TABLE_OK;
    for (unsigned i = 0; status == PAGE_TABLE_OK && i < kernel->segment_count; i++) {
        struct virt_range pages = segment_pages(kernel, i);
        if (virt_range_is_empty(pages))
            continue;
        struct page_permissions permissions = {.write = kernel->segments[i].write,
                                               .execute = kernel->segments[i].execute};
        struct phys_addr physical = phys_addr_add(walk->plan->placement->kernel.start,
                                                  pages.start.value - kernel->image.start.value);
        status = add(walk, pages.start, physical, virt_range_size_bytes(pages), permissions, true);
    }
    return status;
}

/* A virtual address is the physical address plus `displacement`, which is 0 for the identity map.
 */
static enum page_table_status add_loader(struct walk *walk, uint64_t displacement)
{
    const struct loader_image *loader = &walk->plan->placement->loader;
    enum page_table_status status = PAGE_TABLE_OK;
    for (size_t i = 0; status == PAGE_TABLE_OK && i < loader->section_count; i++) {
        const struct loader_section *section = &loader->sections[i];
        if (section->memory.start.value < PAGE_SIZE_BYTES)
            return PAGE_TABLE_NULL_PAGE;
        struct page_permissions permissions = {.write = section->write,
                                               .execute = section->execute};
        status =
            add(walk, virt_addr(section->memory.start.value + displacement), section->memory.start,
                phys_range_size_bytes(section->memory), permissions, false);
    }
    return status;
}

/* Physical and virtual addresses of the direct map are congruent to every page size. */
static enum page_table_status add_direct(struct walk *walk, uint32_t facts,
                                         struct page_permissions permissions)
{
    struct phys_range range;
    struct phys_addr limit = direct_map_limit(walk->features->levels);
    struct virt_addr base = direct_map_base(walk->features->levels);
    enum page_table_status status = PAGE_TABLE_OK;
    for (size_t index = 0;
         status == PAGE_TABLE_OK && next_with_facts(walk->plan, facts, limit, &index, &range);) {
        if (range.start.value >= limit.value || range.end.value > limit.value)
            return PAGE_TABLE_PHYSICAL_TOO_HIGH;
        status = add(walk, virt_addr_add(base, range.start.value), range.start,
                     phys_range_size_bytes(range), permissions, true);
        if (range.end.value > walk->direct_map_size_bytes)
            walk->direct_map_size_bytes = range.end.value;
    }
    return status;
}

/* All but the parked processors, in order of address. Firmware tables are write-back: if such memory
 * must not be cached, the firmware has told the CPU so, and that has precedence over page tables
 * (Intel SDM Vol. 3A, table 12-7). */
static enum page_table_status add_all(struct walk *walk)
{
    const struct placement *placement = walk->plan->placement;
    static const struct page_permissions PIXELS = {.write = true,
                                                   .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    static const struct page_permissions READ_ONLY = {.write = false};
    enum page_table_status status = add_loader(walk, 0);
    if (status == PAGE_TABLE_OK)
        status = add_direct(walk, FACTS_OF_RAM, READ_WRITE);
    if (status == PAGE_TABLE_OK)
        status = add_direct(walk, FACTS_OF_PIXELS, PIXELS);
    if (status == PAGE_TABLE_OK)
        status = add_direct(walk, FACTS_OF_TABLES, READ_ONLY);
    if (status == PAGE_TABLE_OK)
        status = add(walk, virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE), placement->stack.start,
                     phys_range_size_bytes(placement->stack), READ_WRITE, true);
    if (status == PAGE_TABLE_OK)
        status =
            add_loader(walk, BOOTSTRAP_LOADER_VIRTUAL_BASE - placement->loader.memory.start.value);
    return status == PAGE_TABLE_OK ? add_kernel(walk) : status;
}

/* The memory that is used during the switch of levels. */
static enum page_table_status add_switch(struct walk *walk)
{
    static const struct page_permissions EXECUTE = {.execute = true};
    struct phys_addr start = walk->plan->placement->trampoline.start;
    enum page_table_status status = add_loader(walk, 0);
    return status == PAGE_TABLE_OK
               ? add(walk, virt_addr(start.value), start, PAGE_SIZE_BYTES, EXECUTE, false)
               : status;
}

/* --- The interface --- */

/* A mapping that fails here will fail again in bootstrap_tables_build(). */
uint64_t bootstrap_tables_bound(const struct bootstrap_plan *plan,
                                const struct page_table_features *features)
{
    const struct parking *parking = &plan->placement->parking;
    struct page_table_features switch_features = {.levels = plan->trampoline_levels};
    struct walk walk = {.plan = plan, .features = features, .table_count = page_entry_root_count()};
    (void)add_all(&walk);
    if (parking->seat_count != 0)
        walk.table_count += parking_table_bound(parking->seat_count, features->levels);
    if (phys_range_is_empty(plan->placement->trampoline))
        return walk.table_count;
    /* Tables that the trampoline and the loader's image share are counted twice. */
    struct walk small = {.plan = plan, .features = &switch_features};
    (void)add_switch(&small);
    return walk.table_count + small.table_count + page_entry_root_count();
}

enum page_table_status bootstrap_tables_build(const struct bootstrap_plan *plan,
                                              struct page_table *table,
                                              uint64_t *ret_direct_map_size_bytes)
{
    struct walk walk = {.plan = plan, .features = &table->features, .table = table};
    enum page_table_status status = add_all(&walk);
    if (status == PAGE_TABLE_OK)
        status = parking_map(&plan->placement->parking, table);
    if (status == PAGE_TABLE_OK)
        *ret_direct_map_size_bytes = walk.direct_map_size_bytes;
    return status;
}

enum page_table_status bootstrap_tables_build_switch(const struct bootstrap_plan *plan,
                                                     struct page_table *table)
{
    struct walk walk = {.plan = plan, .features = &table->features, .table = table};
    return add_switch(&walk);
}
