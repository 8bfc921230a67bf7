#include "kernel/mm/page_audit.h"

#include "kernel/mm/layout.h"
#include "shared/format.h"
#include "shared/memory.h"
#include "shared/region.h"

struct audit {
    const struct page_audit_input *input;
    struct page_audit_result *result;
    size_t run_count;           /* of input->scratch, sorted by start, disjoint */
    uint64_t image_found_bytes; /* of the image, with the right permissions */
};

/* `subject`: the name of what the rule protects, or NULL. */
static void violation(struct audit *audit, uint64_t *count, const char *rule, const char *subject,
                      const struct page_mapping *mapping)
{
    struct page_audit_result *result = audit->result;
    (*count)++;
    if (result->violation_count++ == 0)
        format_text(result->first_violation, sizeof result->first_violation,
                    "%s%s%s: page 0x%llx, %llu bytes, physical 0x%llx", rule,
                    subject == NULL ? "" : " ", subject == NULL ? "" : subject,
                    (unsigned long long)mapping->virtual.value,
                    (unsigned long long)mapping->page_size_bytes,
                    (unsigned long long)mapping->physical.value);
}

/* A violation that no page stands for. */
static void general_violation(struct audit *audit, uint64_t *count, const char *rule)
{
    (*count)++;
    if (audit->result->violation_count++ == 0)
        format_text(audit->result->first_violation, sizeof audit->result->first_violation, "%s",
                    rule);
}

/* A canonical page never ends at 2^64, except the very last one: clipped, nothing of ours is there.
 */
static struct range virtual_range(const struct page_mapping *mapping)
{
    struct range range = {mapping->virtual.value, UINT64_MAX};
    (void)range_from_base_size(mapping->virtual.value, mapping->page_size_bytes, &range);
    return range;
}

static struct range physical_range(const struct page_mapping *mapping)
{
    return (struct range){mapping->physical.value,
                          mapping->physical.value + mapping->page_size_bytes};
}

static bool is_in_direct_map(const struct page_mapping *mapping)
{
    return mapping->virtual.value >= LAYOUT_DIRECT_MAP_BASE &&
           mapping->virtual.value - LAYOUT_DIRECT_MAP_BASE < LAYOUT_DIRECT_MAP_LIMIT_BYTES;
}

/* --- Rules for one page ----------------------------------------------------------------------- */

static void judge_permissions(struct audit *audit, const struct page_mapping *mapping)
{
    struct page_audit_result *result = audit->result;
    if (mapping->permissions.write && mapping->permissions.execute) {
        if (audit->input->space->table.no_execute)
            violation(audit, &result->writable_executable_count, "writable and executable", NULL,
                      mapping);
        else
            result->writable_executable_count++;
    }
    if (mapping->user)
        violation(audit, &result->user_count, "accessible from ring 3", NULL, mapping);
}

static void judge_place(struct audit *audit, const struct page_mapping *mapping)
{
    const struct address_space *space = audit->input->space;
    for (size_t i = 0; i < space->guard_count; i++) {
        if (range_overlaps(space->guards[i].virtual, virtual_range(mapping)))
            violation(audit, &audit->result->guard_count,
                      "mapped guard page:", space->guards[i].name, mapping);
    }
    if (mapping->virtual.value >> 63 == 0)
        violation(audit, &audit->result->lower_half_count, "mapped in the lower half", NULL,
                  mapping);
}

static bool segment_permits(const struct audit *audit, const struct kernel_segment *segment,
                            const struct page_mapping *mapping)
{
    bool execution_matters = audit->input->space->table.no_execute;
    return segment->write == mapping->permissions.write &&
           (!execution_matters || segment->execute == mapping->permissions.execute);
}

/* NULL if the page lies in none, or only partly. */
static const struct kernel_segment *segment_around(const struct kernel_layout *layout,
                                                   const struct page_mapping *mapping)
{
    for (size_t i = 0; i < layout->segment_count; i++) {
        if (range_contains(layout->segments[i].virtual, virtual_range(mapping)))
            return &layout->segments[i];
    }
    return NULL;
}

static void judge_image(struct audit *audit, const struct page_mapping *mapping)
{
    const struct kernel_layout *layout = audit->input->layout;
    if (mapping->virtual.value < layout->virtual_base.value)
        return;
    const struct kernel_segment *segment = segment_around(layout, mapping);
    uint64_t physical =
        layout->physical_base.value + (mapping->virtual.value - layout->virtual_base.value);
    if (segment == NULL)
        violation(audit, &audit->result->image_count, "outside of the image's segments", NULL,
                  mapping);
    else if (!segment_permits(audit, segment, mapping))
        violation(audit, &audit->result->image_count,
                  "not with its linked permissions:", segment->name, mapping);
    else if (mapping->physical.value != physical)
        violation(audit, &audit->result->image_count,
                  "not where the image was loaded:", segment->name, mapping);
    else
        audit->image_found_bytes += mapping->page_size_bytes;
}

/* The first region that ends above `address`: they are sorted. */
static size_t first_region_above(const struct page_audit_input *input, uint64_t address)
{
    size_t low = 0;
    size_t high = input->region_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (input->regions[middle].base + input->regions[middle].size_bytes > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool is_wholly_ram(const struct page_audit_input *input, struct range range)
{
    size_t i = first_region_above(input, range.start);
    while (range.start < range.end) {
        if (i == input->region_count || input->regions[i].base > range.start ||
            !region_type_is_ram(input->regions[i].type))
            return false;
        range.start = input->regions[i].base + input->regions[i].size_bytes;
        i++;
    }
    return true;
}

static void judge_memory_type(struct audit *audit, const struct page_mapping *mapping)
{
    if (mapping->permissions.memory_type == PAGE_MEMORY_WRITE_BACK &&
        !is_wholly_ram(audit->input, physical_range(mapping)))
        violation(audit, &audit->result->memory_type_count, "write-back, but not RAM", NULL,
                  mapping);
}

static void judge_direct_map(struct audit *audit, const struct page_mapping *mapping)
{
    bool execution_matters = audit->input->space->table.no_execute;
    if (mapping->virtual.value - LAYOUT_DIRECT_MAP_BASE != mapping->physical.value)
        violation(audit, &audit->result->direct_map_count, "direct map off its place", NULL,
                  mapping);
    else if (execution_matters && mapping->permissions.execute)
        violation(audit, &audit->result->direct_map_count, "direct map executable", NULL, mapping);
}

/* --- No frame writable twice ------------------------------------------------------------------ */

/* Insert a run so that they stay sorted. Pages mostly come in rising order, so this is mostly an
 * append or a longer last run. */
static void remember_writable(struct audit *audit, const struct page_mapping *mapping)
{
    struct range *runs = audit->input->scratch;
    struct range added = physical_range(mapping);
    size_t at = audit->run_count;
    while (at > 0 && runs[at - 1].start >= added.end)
        at--;
    if (at > 0 && runs[at - 1].end > added.start) {
        violation(audit, &audit->result->alias_count, "frame mapped writable twice", NULL, mapping);
        return;
    }
    if (at > 0 && runs[at - 1].end == added.start) {
        runs[at - 1].end = added.end;
        return;
    }
    if (audit->run_count == audit->input->scratch_count) {
        violation(audit, &audit->result->other_count, "too little scratch from here on", NULL,
                  mapping);
        return;
    }
    memmove(&runs[at + 1], &runs[at], (audit->run_count - at) * sizeof runs[0]);
    runs[at] = added;
    audit->run_count++;
}

/* --- The audit -------------------------------------------------------------------------------- */

static bool judge_page(void *context, const struct page_mapping *mapping)
{
    struct audit *audit = context;
    audit->result->page_count++;
    judge_permissions(audit, mapping);
    judge_place(audit, mapping);
    judge_image(audit, mapping);
    judge_memory_type(audit, mapping);
    if (is_in_direct_map(mapping))
        judge_direct_map(audit, mapping);
    else if (mapping->permissions.write)
        remember_writable(audit, mapping);
    return true;
}

static bool count_table(void *context, struct phys_addr page, unsigned level)
{
    (void)page;
    (void)level;
    struct page_audit_result *result = context;
    result->table_count++;
    return true;
}

static uint64_t linked_bytes(const struct kernel_layout *layout)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < layout->segment_count; i++)
        bytes += range_size_bytes(layout->segments[i].virtual);
    return bytes;
}

bool page_audit_run(const struct page_audit_input *input, struct page_audit_result *ret_result)
{
    *ret_result = (struct page_audit_result){0};
    struct audit audit = {.input = input, .result = ret_result};
    const struct page_table *table = &input->space->table;

    page_table_walk(table, judge_page, &audit);
    if (ret_result->image_count == 0 && audit.image_found_bytes != linked_bytes(input->layout))
        general_violation(&audit, &ret_result->image_count, "a part of the image is not mapped");

    page_table_walk_tables(table, count_table, ret_result);
    if (ret_result->table_count != table->table_count)
        general_violation(&audit, &ret_result->other_count, "tables were lost or miscounted");
    return ret_result->violation_count == 0;
}
