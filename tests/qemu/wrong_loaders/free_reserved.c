/*
 * free_reserved.c - replaces bootloader/inject.c in a loader that is wrong on purpose: it hands over
 * memory of the firmware as free memory. A kernel cannot find that by itself.
 */
#include "bootloader/inject.h"

bool inject_begin(struct loader *loader)
{
    (void)loader;
    return true;
}

void inject_change_facts(struct loader *loader)
{
    (void)loader;
}

void inject_change_handoff(struct loader *loader)
{
    struct handoff_region *regions = loader->block.room.regions;
    for (size_t i = 0; i < loader->block.region_count; i++) {
        if (regions[i].type != HANDOFF_REGION_RUNTIME_DATA)
            continue;
        regions[i].type = HANDOFF_REGION_USABLE;
        regions[i].reuse = HANDOFF_REUSE_AT_ENTRY;
    }
}
