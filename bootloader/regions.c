#include "bootloader/regions.h"

#include "bootloader/screen_conflicts.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/region.h"

static void warn_of_rows(const struct memory_map_report *report, uint64_t limit_bytes)
{
    if (report->unreachable_bytes != 0)
        console_warn("%llu MiB of RAM at or above %llu GiB stay reserved: out of reach",
                     report->unreachable_bytes / MIB, limit_bytes / GIB);
    if (report->attributes_assumed)
        console_warn("no memory map row has attributes: RAM is taken as write-back");
    if (report->dropped_empty + report->dropped_wrapping + report->shrunk_unaligned +
            report->overlapping + report->unknown_types + report->unusable_attributes ==
        0)
        return;
    console_warn("memory map rows: %u empty and %u wrapping dropped, %u unaligned shrunk, "
                 "%u overlapping, %u of unknown type, %u not plain RAM",
                 report->dropped_empty, report->dropped_wrapping, report->shrunk_unaligned,
                 report->overlapping, report->unknown_types, report->unusable_attributes);
}

static enum loader_error check_claims(const struct memory_map_claim *unproven)
{
    if (phys_range_is_empty(unproven->range))
        return LOADER_OK;
    return error_set(LOADER_ERROR_UNUSABLE_BLOCK, EFI_SUCCESS, "%llu KiB at %llx for the %s",
                     phys_range_size_bytes(unproven->range) / KIB, unproven->range.start.value,
                     region_type_name((uint32_t)unproven->type));
}

static void collect_claims(struct loader *loader, uint64_t limit_bytes)
{
    struct claims *claims = &loader->claims;
    claims_begin(claims, loader->pages.blocks, loader->pages.block_count);
    claims_add(claims, &loader->placement.loader.memory, HANDOFF_REGION_LOADER);
    claims_add_framebuffers(claims, &loader->platform.framebuffers);
    claims_add_tables(claims, &loader->platform.firmware_tables, limit_bytes);
}

static uint64_t lower_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The direct map ends here, or the CPU's physical addresses do, or the kernel's own direct map. */
static uint64_t ram_limit_bytes(const struct loader *loader, unsigned levels)
{
    uint64_t loader_bytes =
        lower_of(direct_map_limit(levels).value, UINT64_C(1) << loader->features.physical_bits);
    return lower_of(loader_bytes, page_align_down(loader->demands.direct_map_limit));
}

static bool convert_once(struct loader *loader, uint64_t limit_bytes,
                         struct memory_map_result *ret_result)
{
    const struct efi_map *map = &loader->block.map;

    collect_claims(loader, limit_bytes);
    const struct memory_map_request request = {
        .map = map->rows,
        .size_bytes = map->size_bytes,
        .stride_bytes = map->stride_bytes,
        .ram_limit_bytes = limit_bytes,
        .claims = loader->claims.list,
        .claim_count = loader->claims.count,
    };
    enum memory_map_status status = memory_map_convert(&request, &loader->block.room, ret_result);
    if (status != MEMORY_MAP_OK) {
        error_set(LOADER_ERROR_MEMORY_MAP, EFI_SUCCESS, "%s", memory_map_status_text(status));
        return false;
    }
    loader->block.region_count = ret_result->region_count;
    return true;
}

static bool convert(struct loader *loader, unsigned levels, struct memory_map_result *ret_result)
{
    bool was_dropped;
    do {
        if (!convert_once(loader, ram_limit_bytes(loader, levels), ret_result) ||
            !screen_conflicts_drop(loader, &was_dropped))
            return false;
    } while (was_dropped);
    return check_claims(&ret_result->report.unproven_claim) == LOADER_OK;
}

bool regions_convert(struct loader *loader, unsigned levels)
{
    struct memory_map_result result;
    return convert(loader, levels, &result);
}

bool regions_build(struct loader *loader)
{
    struct memory_map_result result;
    if (!convert(loader, loader->features.levels, &result))
        return false;
    loader->map_report = result.report;
    firmware_tables_set_mapping(&loader->platform.firmware_tables, loader->block.room.regions,
                                loader->block.region_count);
    return true;
}

void regions_warn(struct loader *loader)
{
    warn_of_rows(&loader->map_report, ram_limit_bytes(loader, loader->features.levels));
}
