#include "kernel/mm/paging/page_audit.h"

#include "kernel/mm/paging/page_runs.h"
#include "shared/text/format.h"
#include "shared/memory.h"
#include "shared/region.h"

struct audit {
    const struct page_audit_input *input;
    struct page_audit_result *result;
    size_t run_count;           /* of input->scratch, sorted by start, disjoint */
    uint64_t image_found_bytes; /* of the image, with the right permissions */
};

/* `subject`: the name of the segment or guard that the rule protects, or NULL. */
static void violation(struct audit *audit, uint64_t *count, const char *rule, const char *subject,
                      const struct page_run *run)
{
    struct page_audit_result *result = audit->result;
    (*count)++;
    if (result->violation_count++ == 0)
        format_text(result->first_violation, sizeof result->first_violation,
                    "%s%s%s: page 0x%llx, %llu bytes, physical 0x%llx", rule,
                    subject == NULL ? "" : " ", subject == NULL ? "" : subject,
                    (unsigned long long)run->virtual.value, (unsigned long long)run->size_bytes,
                    (unsigned long long)run->physical.value);
}

/* Record a violation without a page. */
static void general_violation(struct audit *audit, uint64_t *count, const char *rule)
{
    (*count)++;
    if (audit->result->violation_count++ == 0)
        format_text(audit->result->first_violation, sizeof audit->result->first_violation, "%s",
                    rule);
}

static bool is_in_direct_map(const struct audit *audit, const struct page_run *run)
{
    return virt_range_contains_address(audit->input->space->direct_map, run->virtual);
}

static bool is_in_image(const struct audit *audit, const struct page_run *run)
{
    return run->virtual.value >= audit->input->layout->virtual_base.value;
}

/* If the CPU cannot forbid execution, all pages are executable. */
static bool executes_against_the_rules(const struct audit *audit, const struct page_run *run)
{
    return run->permissions.execute && audit->input->space->table.features.no_execute;
}

/* --- Rules for any run ------------------------------------------------------------------------ */

static void check_permissions(struct audit *audit, const struct page_run *run)
{
    struct page_audit_result *result = audit->result;
    if (run->permissions.write && executes_against_the_rules(audit, run))
        violation(audit, &result->writable_executable_count, "writable and executable", NULL, run);
    else if (run->permissions.write && run->permissions.execute)
        result->writable_executable_count += page_run_page_count(run);
    else if (executes_against_the_rules(audit, run) && !is_in_image(audit, run) &&
             !is_in_direct_map(audit, run))
        violation(audit, &result->image_count, "executable outside of the image", NULL, run);
    if (run->user)
        violation(audit, &result->user_count, "accessible to user programs", NULL, run);
}

static void check_place(struct audit *audit, const struct page_run *run)
{
    const struct address_space *space = audit->input->space;
    for (size_t i = 0; i < space->guard_count; i++) {
        if (virt_range_overlaps(space->guards[i].virtual, page_run_virtual(run)))
            violation(audit, &audit->result->guard_count,
                      "mapped guard page:", space->guards[i].name, run);
    }
    if (run->virtual.value >> 63 == 0)
        violation(audit, &audit->result->lower_half_count, "mapped in the lower half", NULL, run);
    else if (!run->permissions.global)
        violation(audit, &audit->result->global_count, "not global", NULL, run);
}

/* --- Regions ---------------------------------------------------------------------------------- */

/* Return the first region that ends above `address`. The regions are sorted. */
static size_t first_region_above(const struct page_audit_input *input, struct phys_addr address)
{
    size_t low = 0;
    size_t high = input->region_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (input->regions[middle].base + input->regions[middle].size_bytes > address.value)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Return true if every frame of `physical` lies in regions of this type. */
static bool lies_in_regions_of(const struct page_audit_input *input, struct phys_range physical,
                               uint32_t type)
{
    uint64_t reached = physical.start.value;
    for (size_t i = first_region_above(input, physical.start);
         i < input->region_count && reached < physical.end.value; i++) {
        const struct handoff_region *region = &input->regions[i];
        if (region->type != type || region->base > reached)
            return false;
        reached = region->base + region->size_bytes;
    }
    return reached >= physical.end.value;
}

/* --- The image -------------------------------------------------------------------------------- */

static bool segment_permits(const struct audit *audit, const struct kernel_segment *segment,
                            const struct page_run *run)
{
    bool execution_matters = audit->input->space->table.features.no_execute;
    return segment->write == run->permissions.write &&
           (!execution_matters || segment->execute == run->permissions.execute);
}

static const struct kernel_segment *segment_at(const struct kernel_layout *layout,
                                               struct virt_addr address)
{
    for (size_t i = 0; i < layout->segment_count; i++) {
        if (virt_range_contains_address(layout->segments[i].virtual, address))
            return &layout->segments[i];
    }
    return NULL;
}

/* Return the rule that the part `here` of a run in this segment breaks, or NULL. */
static const char *image_rule(const struct audit *audit, const struct kernel_segment *segment,
                              const struct page_run *run, struct virt_range here)
{
    if (!segment_permits(audit, segment, run))
        return "other permissions than the image has:";
    uint64_t offset_bytes = here.start.value - run->virtual.value;
    struct phys_range loaded = kernel_layout_physical(audit->input->layout, here);
    if (loaded.start.value != run->physical.value + offset_bytes)
        return "not where the image was loaded:";
    if (!lies_in_regions_of(audit->input, loaded, HANDOFF_REGION_KERNEL_IMAGE))
        return "in memory outside of the image:";
    return NULL;
}

/* Segments that touch and have equal permissions are one run. */
static void check_image(struct audit *audit, const struct page_run *run)
{
    uint64_t *count = &audit->result->image_count;
    struct virt_range rest = page_run_virtual(run);
    while (!virt_range_is_empty(rest)) {
        const struct kernel_segment *segment = segment_at(audit->input->layout, rest.start);
        if (segment == NULL) {
            violation(audit, count, "outside of the image's segments", NULL, run);
            return;
        }
        struct virt_range here = rest;
        if (here.end.value > segment->virtual.end.value)
            here.end = segment->virtual.end;
        const char *rule = image_rule(audit, segment, run, here);
        if (rule != NULL) {
            violation(audit, count, rule, segment->name, run);
            return;
        }
        audit->image_found_bytes += virt_range_size_bytes(here);
        rest.start = here.end;
    }
}

/* --- The memory of a run ---------------------------------------------------------------------- */

/* Return the rule that a page of this memory type over `region` breaks, or NULL. `region` is NULL
 * for memory without a region. Two types for one frame are undefined, so every mapping of RAM is
 * write-back (Intel SDM Vol. 3A, 12.12.4). */
static const char *memory_type_rule(const struct audit *audit, const struct handoff_region *region,
                                    enum page_memory_type type)
{
    bool is_ram = region != NULL && region_is_ram(region);
    if (is_ram)
        return type == PAGE_MEMORY_WRITE_BACK ? NULL : "RAM, but not write-back";
    if (type == PAGE_MEMORY_WRITE_BACK)
        return "write-back, but not RAM";
    if (region != NULL && region->type == HANDOFF_REGION_FRAMEBUFFER &&
        type != PAGE_MEMORY_WRITE_COMBINING && audit->input->space->table.features.write_combining)
        return "the framebuffer, but not write-combining";
    return NULL;
}

static void check_memory_type(struct audit *audit, const struct page_run *run)
{
    const struct page_audit_input *input = audit->input;
    struct phys_range rest = page_run_physical(run);
    size_t i = first_region_above(input, rest.start);
    while (rest.start.value < rest.end.value) {
        const struct handoff_region *region = i < input->region_count ? &input->regions[i] : NULL;
        bool in_gap = region == NULL || region->base > rest.start.value;
        const char *rule =
            memory_type_rule(audit, in_gap ? NULL : region, run->permissions.memory_type);
        if (rule != NULL) {
            violation(audit, &audit->result->memory_type_count, rule, NULL, run);
            return;
        }
        if (region == NULL)
            return;
        rest.start = phys_addr(in_gap ? region->base : region->base + region->size_bytes);
        i += in_gap ? 0 : 1;
    }
}

/* A frame of the image that is read-only or executable must not be writable at another address. */
static void check_alias_of_image(struct audit *audit, const struct page_run *run)
{
    const struct kernel_layout *layout = audit->input->layout;
    for (size_t i = 0; run->permissions.write && i < layout->segment_count; i++) {
        const struct kernel_segment *segment = &layout->segments[i];
        if (!segment->write && phys_range_overlaps(kernel_layout_physical(layout, segment->virtual),
                                                   page_run_physical(run)))
            violation(audit, &audit->result->alias_count,
                      "writable in another place:", segment->name, run);
    }
}

static void check_direct_map(struct audit *audit, const struct page_run *run)
{
    if (run->virtual.value - audit->input->space->direct_map.start.value != run->physical.value)
        violation(audit, &audit->result->direct_map_count, "direct map at a wrong address", NULL,
                  run);
    else if (executes_against_the_rules(audit, run))
        violation(audit, &audit->result->direct_map_count, "direct map executable", NULL, run);
}

/* --- No frame writable twice ------------------------------------------------------------------ */

/* Insert a run so that the runs stay sorted. Frames mostly come in ascending or descending order,
 * so usually the last or the first run becomes longer. */
static void insert_run(struct audit *audit, size_t at, const struct page_run *run)
{
    struct phys_range *runs = audit->input->scratch;
    if (audit->run_count == audit->input->scratch_count) {
        violation(audit, &audit->result->other_count,
                  "the audit has too little memory from here on", NULL, run);
        return;
    }
    memmove(&runs[at + 1], &runs[at], (audit->run_count - at) * sizeof runs[0]);
    runs[at] = page_run_physical(run);
    audit->run_count++;
}

static void remember_writable(struct audit *audit, const struct page_run *run)
{
    struct phys_range *runs = audit->input->scratch;
    struct phys_range added = page_run_physical(run);
    size_t at = audit->run_count;
    while (at > 0 && runs[at - 1].start.value >= added.end.value)
        at--;
    if (at > 0 && runs[at - 1].end.value > added.start.value)
        violation(audit, &audit->result->alias_count, "frame mapped writable twice", NULL, run);
    else if (at > 0 && runs[at - 1].end.value == added.start.value)
        runs[at - 1].end = added.end;
    else if (at < audit->run_count && runs[at].start.value == added.end.value)
        runs[at].start = added.start;
    else
        insert_run(audit, at, run);
}

/* --- The audit -------------------------------------------------------------------------------- */

static void check_run(void *context, const struct page_run *run)
{
    struct audit *audit = context;
    audit->result->page_count += page_run_page_count(run);
    audit->result->run_count++;
    check_permissions(audit, run);
    check_place(audit, run);
    check_memory_type(audit, run);
    if (is_in_image(audit, run))
        check_image(audit, run);
    else
        check_alias_of_image(audit, run);
    if (is_in_direct_map(audit, run))
        check_direct_map(audit, run);
    else if (run->permissions.write)
        remember_writable(audit, run);
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
        bytes += virt_range_size_bytes(layout->segments[i].virtual);
    return bytes;
}

bool page_audit_run(const struct page_audit_input *input, struct page_audit_result *ret_result)
{
    *ret_result = (struct page_audit_result){0};
    struct audit audit = {.input = input, .result = ret_result};
    const struct page_table *table = &input->space->table;

    page_runs_walk(table, NULL, check_run, &audit);
    uint64_t expected_bytes = linked_bytes(input->layout) - input->image_unmapped_bytes;
    if (ret_result->image_count == 0 && audit.image_found_bytes != expected_bytes)
        general_violation(&audit, &ret_result->image_count, "a part of the image is not mapped");

    page_table_walk_tables(table, count_table, ret_result);
    if (ret_result->table_count != table->table_count)
        general_violation(&audit, &ret_result->other_count, "tables were lost or miscounted");
    return ret_result->violation_count == 0;
}
