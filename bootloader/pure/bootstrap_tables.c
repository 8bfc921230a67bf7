#include "bootloader/pure/bootstrap_tables.h"

#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/page_entry.h"
#include "shared/range.h"
#include "shared/region.h"

/* Nothing is global: the entries would survive the kernel's own switch to other tables. */
static const struct page_permissions READ_WRITE = {.write = true};

/* --- What the plan maps --- */

static uint64_t segment_pages_end(const struct elf_segment *segment)
{
    return page_align_up(segment->virtual_address + segment->memory_size_bytes);
}

/* A segment in whole pages. Segments with equal permissions may share a page, which the first of
 * them maps; the range may thus be empty. */
static struct range segment_pages(const struct elf_plan *kernel, unsigned index)
{
    const struct elf_segment *segments = kernel->segments;
    struct range pages = {page_align_down(segments[index].virtual_address),
                          segment_pages_end(&segments[index])};
    if (index > 0 && pages.start < segment_pages_end(&segments[index - 1]))
        pages.start = segment_pages_end(&segments[index - 1]);
    return pages;
}

static bool next_ram_run(const struct bootstrap_plan *plan, struct phys_addr limit, size_t *index,
                         struct range *ret_run)
{
    struct phys_range run;
    if (!region_next_ram_run(plan->regions, plan->region_count, limit, index, &run))
        return false;
    *ret_run = (struct range){run.start.value, run.end.value};
    return true;
}

/* Finds the next region, from *index on, that is mapped and is neither RAM nor writable: pages of
 * firmware tables. Moves *index behind it. Returns false if no such region follows. */
static bool next_read_only(const struct bootstrap_plan *plan, size_t *index,
                           struct range *ret_range)
{
    const uint32_t facts = HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE | HANDOFF_FACT_RAM;
    while (*index < plan->region_count) {
        const struct handoff_region *region = &plan->regions[(*index)++];
        if ((region->facts & facts) == HANDOFF_FACT_MAPPED) {
            *ret_range = (struct range){region->base, region->base + region->size_bytes};
            return true;
        }
    }
    return false;
}

/* --- The bound --- */

/* Counts tables for ranges in ascending order: a table that two of them share is counted once. */
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

/* Where pages as large as a whole table's span are possible, only the two ends need tables of that
 * level, and only if they are not aligned to it. Precondition: below the root's level; not empty.
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

/* Sections in order of address, where `displacement` is the way from physical to virtual. */
static void count_loader(struct table_counter *counter, const struct bootstrap_plan *plan,
                         uint64_t displacement)
{
    for (size_t i = 0; i < plan->loader_section_count; i++) {
        if (plan->loader_sections[i].size_bytes > 0)
            count_range(counter, plan->loader_sections[i].base + displacement,
                        plan->loader_sections[i].size_bytes);
    }
}

/* The trampoline may lie below the loader's image: the tables that they share are counted twice. */
static uint64_t count_switch_tables(const struct bootstrap_plan *plan)
{
    if (plan->trampoline_base == 0)
        return 0;
    struct table_counter counter = {.levels = 4, .largest_page_level = PAGE_LEVEL_SMALLEST};
    count_loader(&counter, plan, 0);
    count_range(&counter, plan->trampoline_base, PAGE_SIZE_BYTES);
    return counter.table_count + page_entry_root_count();
}

uint64_t bootstrap_tables_bound(const struct bootstrap_plan *plan,
                                const struct page_table_features *features)
{
    struct table_counter small = {.levels = features->levels,
                                  .largest_page_level = PAGE_LEVEL_SMALLEST};
    count_loader(&small, plan, 0);
    count_range(&small, BOOTSTRAP_STACK_VIRTUAL_BASE, BOOTSTRAP_STACK_SIZE_BYTES);
    count_loader(&small, plan, BOOTSTRAP_LOADER_VIRTUAL_BASE - plan->loader_base);
    count_range(&small, plan->kernel->virtual_base, plan->kernel->size_bytes);

    /* Physical and virtual addresses of the direct map are congruent to every page size. */
    struct table_counter large = small;
    large.largest_page_level = features->largest_leaf_level;
    struct range range;
    uint64_t base = direct_map_base(features->levels).value;
    struct phys_addr limit = direct_map_limit(features->levels);
    for (size_t index = 0; next_ram_run(plan, limit, &index, &range);)
        count_range(&large, base + range.start, range_size_bytes(range));
    if (plan->framebuffer_size_bytes > 0)
        count_range(&large, base + plan->framebuffer_base, plan->framebuffer_size_bytes);
    for (size_t index = 0; next_read_only(plan, &index, &range);)
        count_range(&large, base + range.start, range_size_bytes(range));
    return large.table_count + page_entry_root_count() + count_switch_tables(plan);
}

/* --- Building --- */

static enum page_table_status map_kernel(const struct bootstrap_plan *plan,
                                         struct page_table *table)
{
    const struct elf_plan *kernel = plan->kernel;
    for (unsigned i = 0; i < kernel->segment_count; i++) {
        struct range pages = segment_pages(kernel, i);
        if (range_is_empty(pages))
            continue;
        struct page_permissions permissions = {.write = kernel->segments[i].write,
                                               .execute = kernel->segments[i].execute};
        uint64_t physical = plan->kernel_physical_base + (pages.start - kernel->virtual_base);
        enum page_table_status status =
            page_table_map(table, virt_addr(pages.start), phys_addr(physical),
                           range_size_bytes(pages), permissions, true);
        if (status != PAGE_TABLE_OK)
            return status;
    }
    return PAGE_TABLE_OK;
}

/* `displacement`: the way from physical to virtual; 0 for the identity. */
static enum page_table_status map_loader(const struct bootstrap_plan *plan,
                                         struct page_table *table, uint64_t displacement)
{
    for (size_t i = 0; i < plan->loader_section_count; i++) {
        const struct bootstrap_section *section = &plan->loader_sections[i];
        if (section->base < PAGE_SIZE_BYTES)
            return PAGE_TABLE_NULL_PAGE;
        struct page_permissions permissions = {.write = section->write,
                                               .execute = section->execute};
        enum page_table_status status =
            page_table_map(table, virt_addr(section->base + displacement), phys_addr(section->base),
                           section->size_bytes, permissions, false);
        if (status != PAGE_TABLE_OK)
            return status;
    }
    return PAGE_TABLE_OK;
}

static enum page_table_status map_direct(struct page_table *table, uint64_t base,
                                         uint64_t size_bytes, struct page_permissions permissions,
                                         uint64_t *direct_map_size_bytes)
{
    uint64_t limit_bytes = direct_map_limit(table->features.levels).value;
    if (base >= limit_bytes || size_bytes > limit_bytes - base)
        return PAGE_TABLE_PHYSICAL_TOO_HIGH;
    enum page_table_status status =
        page_table_map(table, virt_addr_add(direct_map_base(table->features.levels), base),
                       phys_addr(base), size_bytes, permissions, true);
    if (status == PAGE_TABLE_OK && base + size_bytes > *direct_map_size_bytes)
        *direct_map_size_bytes = base + size_bytes;
    return status;
}

static enum page_table_status map_ram(const struct bootstrap_plan *plan, struct page_table *table,
                                      uint64_t *direct_map_size_bytes)
{
    struct range range;
    struct phys_addr limit = direct_map_limit(table->features.levels);
    for (size_t index = 0; next_ram_run(plan, limit, &index, &range);) {
        enum page_table_status status = map_direct(table, range.start, range_size_bytes(range),
                                                   READ_WRITE, direct_map_size_bytes);
        if (status != PAGE_TABLE_OK)
            return status;
    }
    return PAGE_TABLE_OK;
}

static enum page_table_status map_framebuffer(const struct bootstrap_plan *plan,
                                              struct page_table *table,
                                              uint64_t *direct_map_size_bytes)
{
    if (plan->framebuffer_size_bytes == 0)
        return PAGE_TABLE_OK;
    static const struct page_permissions PIXELS = {.write = true,
                                                   .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    return map_direct(table, plan->framebuffer_base, plan->framebuffer_size_bytes, PIXELS,
                      direct_map_size_bytes);
}

/* Write-back: where such memory must not be cached, the firmware has told the CPU so for the
 * physical addresses, and that wins (Intel SDM Vol. 3A, table 12-7). */
static enum page_table_status map_firmware_tables(const struct bootstrap_plan *plan,
                                                  struct page_table *table,
                                                  uint64_t *direct_map_size_bytes)
{
    static const struct page_permissions READ_ONLY = {.write = false};
    struct range range;
    for (size_t index = 0; next_read_only(plan, &index, &range);) {
        enum page_table_status status = map_direct(table, range.start, range_size_bytes(range),
                                                   READ_ONLY, direct_map_size_bytes);
        if (status != PAGE_TABLE_OK)
            return status;
    }
    return PAGE_TABLE_OK;
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
        status = map_loader(plan, table, BOOTSTRAP_LOADER_VIRTUAL_BASE - plan->loader_base);
    if (status == PAGE_TABLE_OK)
        status = page_table_map(table, virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE),
                                phys_addr(plan->stack_physical_base), BOOTSTRAP_STACK_SIZE_BYTES,
                                READ_WRITE, true);
    if (status == PAGE_TABLE_OK)
        status = map_ram(plan, table, &direct_map_size_bytes);
    if (status == PAGE_TABLE_OK)
        status = map_framebuffer(plan, table, &direct_map_size_bytes);
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
        status = page_table_map(table, virt_addr(plan->trampoline_base),
                                phys_addr(plan->trampoline_base), PAGE_SIZE_BYTES, EXECUTE, false);
    return status;
}
