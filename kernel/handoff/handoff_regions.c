#include "kernel/handoff/handoff_regions.h"

#include "kernel/handoff/handoff_data.h"
#include "shared/region.h"

/* The rules for a region of any type, and for a type that this version knows. */
static bool facts_are_valid(const struct handoff_region *region)
{
    const uint32_t usable = HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE;
    const uint32_t known = usable | HANDOFF_FACT_LOADER_PLACED;
    bool is_known = region_type_precedence(region->type) != 0;
    if ((region->facts & HANDOFF_FACT_WRITABLE) != 0 && (region->facts & HANDOFF_FACT_MAPPED) == 0)
        return false;
    if (region->reuse != HANDOFF_REUSE_NEVER && (region->facts & usable) != usable)
        return false;
    return !is_known || ((region->facts & known) == region_type_facts(region->type) &&
                         region->reuse == (uint32_t)region_type_reuse(region->type));
}

static bool all_facts_are_valid(const struct region_list *regions)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        if (!facts_are_valid(region_list_at(regions, i)))
            return false;
    }
    return true;
}

static enum handoff_check_status check_rows(struct handoff_validation *validation)
{
    const struct handoff_array *rows = &validation->handoff->regions;
    if (!handoff_data_has_array(validation, rows, sizeof(struct handoff_region)))
        return HANDOFF_CHECK_REGIONS;
    validation->view.regions = (struct region_list){
        .first = handoff_validation_at(validation, phys_addr(rows->first)),
        .count = rows->count,
        .stride_bytes = rows->stride_bytes,
    };
    if (!region_list_is_normalised(&validation->view.regions))
        return HANDOFF_CHECK_REGIONS_NOT_NORMALISED;
    return all_facts_are_valid(&validation->view.regions) ? HANDOFF_CHECK_OK
                                                          : HANDOFF_CHECK_REGIONS_FACTS;
}

/* Check one run of RAM, and move *index behind it. Firmware divides RAM into many small rows, so
 * rows that touch are checked in one walk. RAM of an unknown type may be unmapped: its facts say
 * so.
 */
static struct phys_range next_ram_run(const struct region_list *regions, uint32_t *index)
{
    struct phys_range run = phys_range(0, 0);
    for (; *index < regions->count; (*index)++) {
        struct phys_range region = region_list_range(regions, *index);
        bool is_ram = region_is_mapped_ram(region_list_at(regions, *index));
        if (!phys_range_is_empty(run) && (!is_ram || region.start.value != run.end.value))
            break;
        if (is_ram)
            run = (struct phys_range){phys_range_is_empty(run) ? region.start : run.start,
                                      region.end};
    }
    return run;
}

static enum handoff_check_status check_ram(struct handoff_validation *validation)
{
    const struct region_list *regions = &validation->view.regions;
    for (uint32_t i = 0; i < regions->count;) {
        struct phys_range run = next_ram_run(regions, &i);
        if (phys_range_is_empty(run))
            break;
        if (run.end.value > validation->handoff->direct_map_size_bytes)
            return HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP;
        if (!handoff_validation_is_in_direct_map(validation, run))
            return HANDOFF_CHECK_REGIONS_NOT_MAPPED;
    }
    return HANDOFF_CHECK_OK;
}

enum handoff_check_status handoff_regions_check(struct handoff_validation *validation)
{
    static const struct handoff_step STEPS[] = {{check_rows}, {check_ram}};
    return handoff_validation_run(validation, STEPS, sizeof(STEPS) / sizeof(STEPS[0]));
}
