#include "bootloader/gather.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/platform.h"
#include "bootloader/inject.h"

void gather_facts(struct loader *loader)
{
    loader_begin_phase(loader, "gather platform");
    platform_gather(&loader->firmware, &loader->console, &loader->platform);
    arch_page_features(&loader->features);
    loader->firmware_levels = loader->features.levels;
    inject_change_facts(loader);
}
