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

static bool next_ram_run(const struct bootstrap_plan *plan, struct phys_addr limit, size_t *index,
                         struct phys_range *ret_run)
{
    return region_next_ram_run(plan->regions, plan->region_count, limit, index, ret_run);
}

/* The facts of regions that are mapped, but are not RAM. */
#define FACTS_OF_TABLES HANDOFF_FACT_MAPPED                           /* of the firmware */
#define FACTS_OF_PIXELS (HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE) /* of a framebuffer */

/* Find the next region, from *index on, with exactly these facts. Move *index behind it. Return
 * false if no such region follows. */
static bool next_with_facts(const struct bootstrap_plan *plan, uint32_t facts, size_t *index,
                            struct phys_range *ret_range)
{
    const uint32_t mask = HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE | HANDOFF_FACT_RAM;
    while (*index < plan->region_count) {
        const struct handoff_region *region = &plan->regions[(*index)++];
        if ((region->facts & mask) == facts) {
            *ret_range = phys_range(region->base, region->base + region->size_bytes);
            return true;
        }
    }
    return false;
}

/* --- The bound --- */

/* Count the tables for ranges in ascending order. A table that two of them share is counted
 * once. */
struct table_counter {
    unsigned levels;
    unsigned largest_page_level;
    uint64_t table_count;
    uint64_t last_counted[6]; /* by level: number of the last table counted, plus one */
};

static void count_tables(struct table_counter *counter, unsigned level, uint64_t first_address,
                         uint64_t last_address)
{
    uint64_t bytes_per_table = page_entry_span_bytes(level + 1);
    uint64_t first = first_address / bytes_per_table + 1;
    uint64_t last = last_address / bytes_per_table + 1;
    counter->table_count += last - first + 1;
    if (counter->last_counted[level] == first)
        counter->table_count--;
    counter->last_counted[level] = last;
}

/* If one large page can replace a whole table, only the two ends of the range need tables of that
 * level. An end that is aligned needs none. Precondition: below the root's level; not empty.
 */
static void count_range(struct table_counter *counter, uint64_t start, uint64_t size_bytes)
{
    uint64_t last = start + (size_bytes - 1);
    for (unsigned level = PAGE_LEVEL_SMALLEST; level < counter->levels; level++) {
        uint64_t span_mask = page_entry_span_bytes(level + 1) - 1;
        if (level >= counter->largest_page_level) {
            count_tables(counter, level, start, last);
            continue;
        }
        if ((start & span_mask) != 0)
            count_tables(counter, level, start, start);
        if ((last & span_mask) != span_mask)
            count_tables(counter, level, last, last);
    }
}

static void count_direct(struct table_counter *counter, struct phys_range range)
{
    count_range(counter, virt_addr_add(direct_map_base(counter->levels), range.start.value).value,
                phys_range_size_bytes(range));
}

static uint64_t loader_displacement(const struct bootstrap_plan *plan)
{
    return BOOTSTRAP_LOADER_VIRTUAL_BASE - plan->placement->loader.memory.start.value;
}

/* Count for sections in order of address. A virtual address is the physical address plus
 * `displacement`. */
static void count_loader(struct table_counter *counter, const struct bootstrap_plan *plan,
                         uint64_t displacement)
{
    const struct loader_image *loader = &plan->placement->loader;
    for (size_t i = 0; i < loader->section_count; i++) {
        const struct phys_range *section = &loader->sections[i].memory;
        if (!phys_range_is_empty(*section))
            count_range(counter, section->start.value + displacement,
                        phys_range_size_bytes(*section));
    }
}

/* The trampoline may lie below the loader's image. Tables that both share are counted twice. */
static uint64_t count_switch_tables(const struct bootstrap_plan *plan)
{
    if (phys_range_is_empty(plan->placement->trampoline))
        return 0;
    struct table_counter counter = {.levels = plan->trampoline_levels,
                                    .largest_page_level = PAGE_LEVEL_SMALLEST};
    count_loader(&counter, plan, 0);
    count_range(&counter, plan->placement->trampoline.start.value, PAGE_SIZE_BYTES);
    return counter.table_count + page_entry_root_count();
}

uint64_t bootstrap_tables_bound(const struct bootstrap_plan *plan,
                                const struct page_table_features *features)
{
    struct table_counter small = {.levels = features->levels,
                                  .largest_page_level = PAGE_LEVEL_SMALLEST};
    count_loader(&small, plan, 0);
    count_range(&small, BOOTSTRAP_STACK_VIRTUAL_BASE,
                phys_range_size_bytes(plan->placement->stack));
    count_loader(&small, plan, loader_displacement(plan));
    count_range(&small, plan->kernel->image.start.value,
                virt_range_size_bytes(plan->kernel->image));

    /* Physical and virtual addresses of the direct map are congruent to every page size. */
    struct table_counter large = small;
    large.largest_page_level = features->largest_leaf_level;
    struct phys_range range;
    struct phys_addr limit = direct_map_limit(features->levels);
    for (size_t index = 0; next_ram_run(plan, limit, &index, &range);)
        count_direct(&large, range);
    for (size_t index = 0; next_with_facts(plan, FACTS_OF_PIXELS, &index, &range);)
        count_direct(&large, range);
    for (size_t index = 0; next_with_facts(plan, FACTS_OF_TABLES, &index, &range);)
        count_direct(&large, range);
    const struct parking *parking = &plan->placement->parking;
    if (parking->seat_count != 0)
        large.table_count += parking_table_bound(parking->seat_count, features->levels);
    return large.table_count + page_entry_root_count() + count_switch_tables(plan);
}

/* --- Building --- */

static enum page_table_status map_kernel(const struct bootstrap_plan *plan,
                                         struct page_table *table)
{
    const struct elf_plan *kernel = plan->kernel;
    for (unsigned i = 0; i < kernel->segment_count; i++) {
        struct virt_range pages = segment_pages(kernel, i);
        if (virt_range_is_empty(pages))
            continue;
        struct page_permissions permissions = {.write = kernel->segments[i].write,
                                               .execute = kernel->segments[i].execute};
        struct phys_addr physical = phys_addr_add(plan->placement->kernel.start,
                                                  pages.start.value - kernel->image.start.value);
        enum page_table_status status = page_table_map(
            table, pages.start, physical, virt_range_size_bytes(pages), permissions, true);
        if (status != PAGE_TABLE_OK)
            return status;
    }
    return PAGE_TABLE_OK;
}

/* A virtual address is the physical address plus `displacement`, which is 0 for the identity map.
 */
static enum page_table_status map_loader(const struct bootstrap_plan *plan,
                                         struct page_table *table, uint64_t displacement)
{
    const struct loader_image *loader = &plan->placement->loader;
    for (size_t i = 0; i < loader->section_count; i++) {
        const struct loader_section *section = &loader->sections[i];
        if (section->memory.start.value < PAGE_SIZE_BYTES)
            return PAGE_TABLE_NULL_PAGE;
        struct page_permissions permissions = {.write = section->write,
                                               .execute = section->execute};
        enum page_table_status status = page_table_map(
            table, virt_addr(section->memory.start.value + displacement), section->memory.start,
            phys_range_size_bytes(section->memory), permissions, false);
        if (status != PAGE_TABLE_OK)
            return status;
    }
    return PAGE_TABLE_OK;
}

static enum page_table_status map_direct(struct page_table *table, struct phys_range range,
                                         struct page_permissions permissions,
                                         uint64_t *direct_map_size_bytes)
{
    uint64_t limit_bytes = direct_map_limit(table->features.levels).value;
    if (range.start.value >= limit_bytes || range.end.value > limit_bytes)
        return PAGE_TABLE_PHYSICAL_TOO_HIGH;
    enum page_table_status status = page_table_map(
        table, virt_addr_add(direct_map_base(table->features.levels), range.start.value),
        range.start, phys_range_size_bytes(range), permissions, true);
    if (status == PAGE_TABLE_OK && range.end.value > *direct_map_size_bytes)
        *direct_map_size_bytes = range.end.value;
    return status;
}

static enum page_table_status map_ram(const struct bootstrap_plan *plan, struct page_table *table,
                                      uint64_t *direct_map_size_bytes)
{
    struct phys_range range;
    struct phys_addr limit = direct_map_limit(table->features.levels);
    for (size_t index = 0; next_ram_run(plan, limit, &index, &range);) {
        enum page_table_status status = map_direct(table, range, READ_WRITE, direct_map_size_bytes);
        if (status != PAGE_TABLE_OK)
            return status;
    }
    return PAGE_TABLE_OK;
}

static enum page_table_status map_others(const struct bootstrap_plan *plan, uint32_t facts,
                                         struct page_permissions permissions,
                                         struct page_table *table, uint64_t *direct_map_size_bytes)
{
    struct phys_range range;
    for (size_t index = 0; next_with_facts(plan, facts, &index, &range);) {
        enum page_table_status status =
            map_direct(table, range, permissions, direct_map_size_bytes);
        if (status != PAGE_TABLE_OK)
            return status;
    }
    return PAGE_TABLE_OK;
}

static enum page_table_status map_framebuffers(const struct bootstrap_plan *plan,
                                               struct page_table *table,
                                               uint64_t *direct_map_size_bytes)
{
    static const struct page_permissions PIXELS = {.write = true,
                                                   .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    return map_others(plan, FACTS_OF_PIXELS, PIXELS, table, direct_map_size_bytes);
}

/* Write-back: if such memory must not be cached, the firmware has told the CPU so, and that has
 * precedence over page tables (Intel SDM Vol. 3A, table 12-7). */
static enum page_table_status map_firmware_tables(const struct bootstrap_plan *plan,
                                                  struct page_table *table,
                                                  uint64_t *direct_map_size_bytes)
{
    static const struct page_permissions READ_ONLY = {.write = false};
    return map_others(plan, FACTS_OF_TABLES, READ_ONLY, table, direct_map_size_bytes);
}

enum page_table_status bootstrap_tables_build(const struct bootstrap_plan *plan,
                                              struct page_table *table,
                                              uint64_t *ret_direct_map_size_bytes)
{
    uint64_t direct_map_size_bytes = 0;
    enum page_table_status status = map_kernel(plan, table);
    if (status == PAGE_TABLE_OK)
        status = map_loader(plan, table, 0);
    if (status == PAGE_TABLE_OK)
        status = map_loader(plan, table, loader_displacement(plan));
    if (status == PAGE_TABLE_OK)
        status = page_table_map(table, virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE),
                                plan->placement->stack.start,
                                phys_range_size_bytes(plan->placement->stack), READ_WRITE, true);
    if (status == PAGE_TABLE_OK)
        status = parking_map(&plan->placement->parking, table);
    if (status == PAGE_TABLE_OK)
        status = map_ram(plan, table, &direct_map_size_bytes);
    if (status == PAGE_TABLE_OK)
        status = map_framebuffers(plan, table, &direct_map_size_bytes);
    if (status == PAGE_TABLE_OK)
        status = map_firmware_tables(plan, table, &direct_map_size_bytes);
    if (status == PAGE_TABLE_OK)
        *ret_direct_map_size_bytes = direct_map_size_bytes;
    return status;
}

enum page_table_status bootstrap_tables_build_switch(const struct bootstrap_plan *plan,
                                                     struct page_table *table)
{
    static const struct page_permissions EXECUTE = {.execute = true};
    enum page_table_status status = map_loader(plan, table, 0);
    if (status == PAGE_TABLE_OK)
        status = page_table_map(table, virt_addr(plan->placement->trampoline.start.value),
                                plan->placement->trampoline.start, PAGE_SIZE_BYTES, EXECUTE, false);
    return status;
}
