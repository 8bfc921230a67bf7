#include "bootloader/gather.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/platform.h"

void gather_facts(struct loader *loader)
{
    loader_begin_phase(loader, "gather platform");
    platform_gather(&loader->firmware, &loader->console, &loader->platform);
    screen_gather(&loader->screen, &loader->firmware, &loader->console, &loader->config,
                  &loader->platform.framebuffers);
    platform_log(&loader->console, &loader->platform);
    arch_page_features(&loader->features);
    loader->firmware_levels = loader->features.levels;
}
