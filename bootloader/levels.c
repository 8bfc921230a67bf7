#include "bootloader/levels.h"

#include "bootloader/arch.h"
#include "bootloader/pure/level_choice.h"
#include "bootloader/regions.h"
#include "shared/direct_map.h"
#include "shared/region.h"
#include "shared/text/command_line.h"
#include "shared/text/text.h"
#include "shared/text/packed_text.h"

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

/* Return 4, 5, or 0 for any. */
static unsigned wished_levels(struct loader *loader)
{
    const char *command_line = loader->config.command_line;
    uint64_t levels = 0;
    if (command_line_number(command_line, "paging", &levels) && (levels == 4 || levels == 5))
        return (unsigned)levels;
    if (command_line_mentions(command_line, "paging") &&
        !command_line_is(command_line, "paging", "any"))
        console_warn("paging= is ignored: the value must be 4, 5 or any");
    return 0;
}

static const char *word_of(unsigned levels)
{
    return levels == 5 ? "five" : "four";
}

/* Return the reason why the kernel cannot begin with this number; NULL if it can. If code outside
 * of the loader's image changes the number, reserve memory for it. */
static const char *prepare(struct loader *loader, unsigned levels)
{
    const char *obstacle = arch_levels_obstacle(levels);
    if (obstacle != NULL)
        return obstacle;
    struct arch_trampoline trampoline = arch_trampoline_for(levels);
    if (trampoline.size_bytes == 0 ||
        pages_allocate_below(&loader->pages, trampoline.size_bytes, trampoline.limit,
                             HANDOFF_REGION_LOADER, &loader->placement.trampoline) == LOADER_OK)
        return NULL;
    return PACKED("no memory below 4 GiB for the switch");
}

static unsigned choose(struct loader *loader)
{
    const struct level_request request = {
        .firmware_levels = loader->firmware_levels,
        .wish = wished_levels(loader),
        .kernel_levels = loader->demands.levels,
        .ram_needs_five = has_ram_beyond_four_levels(&loader->block),
    };
    struct level_choice choice = level_choose(&request);
    if (choice.is_wish_refused)
        console_warn("paging= is ignored: the kernel supports only %s levels",
                     word_of(choice.levels));
    return choice.levels;
}

/* Stay with the firmware's levels, if the kernel supports them. */
static bool stay(struct loader *loader, const char *obstacle)
{
    const char *word = word_of(loader->firmware_levels);
    if ((loader->demands.levels & LEVEL_MASK(loader->firmware_levels)) == 0) {
        error_set(LOADER_ERROR_KERNEL_DEMAND, EFI_SUCCESS,
                  "%s: page tables of other than %s levels; %s", loader->config.kernel_path, word,
                  obstacle);
        return false;
    }
    console_warn("%s paging levels: %s", word, obstacle);
    return true;
}

/* The firmware's number needs no preparation: it is in force. */
bool levels_choose(struct loader *loader)
{
    unsigned levels = choose(loader);
    const char *obstacle = levels == loader->firmware_levels ? NULL : prepare(loader, levels);
    if (obstacle == NULL)
        loader->features.levels = levels;
    else if (!stay(loader, obstacle))
        return false;
    return regions_convert(loader, loader->features.levels);
}
