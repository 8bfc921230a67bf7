#include "bootloader/demands.h"

#include "bootloader/arch.h"
#include "bootloader/pure/kernel_demands.h"
#include "bootloader/pure/level_choice.h"

static bool refuse(struct loader *loader, const char *demand)
{
    error_set(LOADER_ERROR_KERNEL_DEMAND, EFI_SUCCESS, "%s: %s", loader->config.kernel_path,
              demand);
    return false;
}

bool demands_check_loader(struct loader *loader)
{
    char text[KERNEL_DEMANDS_TEXT_CAPACITY_BYTES];
    if (!kernel_demands_fit_loader(&loader->demands, text, sizeof(text)))
        return refuse(loader, text);
    if (loader->demands.direct_map_limit != UINT64_MAX)
        pages_set_limit(&loader->pages, phys_addr(loader->demands.direct_map_limit));
    return true;
}

static uint64_t possible_levels(const struct loader *loader)
{
    uint64_t levels = LEVEL_MASK(loader->firmware_levels);
    if (arch_levels_obstacle(4) == NULL)
        levels |= LEVEL_MASK(4);
    if (arch_levels_obstacle(5) == NULL)
        levels |= LEVEL_MASK(5);
    return levels;
}

/* A screen that the kernel cannot reach is not handed over. The order of the others stays. */
static void drop_framebuffers_beyond(struct loader *loader, uint64_t limit)
{
    struct framebuffer_list *screens = &loader->platform.framebuffers;
    for (size_t i = screens->count; i > 0; i--) {
        const struct handoff_framebuffer *screen = &screens->list[i - 1];
        if (screen->base + screen->size_bytes <= limit)
            continue;
        console_warn("the framebuffer at %llx is dropped: the kernel reaches only %llx",
                     screen->base, limit);
        framebuffer_list_remove(screens, i - 1);
    }
}

bool demands_check_machine(struct loader *loader)
{
    char text[KERNEL_DEMANDS_TEXT_CAPACITY_BYTES];
    uint64_t limit = loader->demands.direct_map_limit;
    if (loader->placement.loader.memory.end.value > limit)
        return refuse(loader, PACKED("a direct map that ends below the loader's own image"));
    drop_framebuffers_beyond(loader, limit);
    const struct kernel_supplies supplies = {
        .levels = possible_levels(loader),
        .has_screen = loader->platform.framebuffers.count != 0,
        .has_no_execute = loader->features.no_execute,
    };
    return kernel_demands_fit_machine(&loader->demands, &supplies, text, sizeof(text)) ||
           refuse(loader, text);
}
