#include "bootloader/levels.h"

#include "bootloader/arch.h"
#include "bootloader/regions.h"
#include "shared/direct_map.h"
#include "shared/region.h"
#include "shared/text/command_line.h"

static bool has_ram_beyond_four_levels(const struct handoff_block *block)
{
    for (size_t i = 0; i < block->region_count; i++) {
        const struct handoff_region *region = &block->room.regions[i];
        if (region_is_ram(region) &&
            region->base + region->size_bytes > DIRECT_MAP_LIMIT_BYTES_4_LEVELS)
            return true;
    }
    return false;
}

static bool wants_five_levels(struct loader *loader)
{
    const char *command_line = loader->config.command_line;
    uint64_t levels = 0;
    bool is_number = command_line_number(command_line, "paging", &levels);
    if (command_line_mentions(command_line, "paging") &&
        !(is_number && (levels == 4 || levels == 5)))
        console_warn(&loader->console, "paging= is ignored: the value must be 4 or 5");
    return levels == 5 || has_ram_beyond_four_levels(&loader->block);
}

/* Return false, and log a warning, if the CPU or the memory does not allow it. */
static bool prepare_five_levels(struct loader *loader)
{
    const char *obstacle = arch_levels_obstacle(5);
    if (obstacle != NULL) {
        console_warn(&loader->console, "four paging levels: %s", obstacle);
        return false;
    }
    struct arch_trampoline trampoline = arch_trampoline_for(5);
    if (trampoline.size_bytes == 0 ||
        pages_allocate_below(&loader->pages, trampoline.size_bytes, trampoline.limit,
                             HANDOFF_REGION_LOADER, &loader->placement.trampoline) == LOADER_OK)
        return true;
    console_warn(&loader->console, "four paging levels: no memory below %llu GiB",
                 trampoline.limit.value / GIB);
    return false;
}

bool levels_choose(struct loader *loader)
{
    if (wants_five_levels(loader) && loader->features.levels == 4 && prepare_five_levels(loader))
        loader->features.levels = 5;
    return regions_convert(loader, loader->features.levels);
}
