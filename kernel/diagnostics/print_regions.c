#include "kernel/diagnostics/print_regions.h"

#include "kernel/core/log.h"
#include "shared/region.h"

void print_regions(const struct region_list *regions)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        const struct handoff_region *region = region_list_at(regions, i);
        log_line("region",
                 "base=0x%llx size=%llu type=%s facts=0x%x reuse=%u efi_type=%u attributes=0x%llx",
                 (unsigned long long)region->base, (unsigned long long)region->size_bytes,
                 region_type_name(region->type), region->facts, region->reuse, region->efi_type,
                 (unsigned long long)region->attributes);
    }
}
