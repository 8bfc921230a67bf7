/*
 * lost_checksum.c - replaces bootloader/inject.c in a loader that is wrong on purpose: it changes
 * the handoff after it has written the checksum.
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
    loader->block.handoff->arch.x86_64.tsc_frequency_hz++;
}
