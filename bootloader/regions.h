/*
 * regions.h - convert the firmware's memory map to the regions of the handoff.
 */
#ifndef BOOTLOADER_REGIONS_H
#define BOOTLOADER_REGIONS_H

#include "bootloader/loader.h"

/* Convert the map in the block to regions, with the loader's claims over it. RAM that the direct
 * map with `levels` levels of page tables does not reach becomes reserved, and so does RAM above the
 * CPU's physical addresses. A framebuffer over memory in use is dropped, with a warning. It works
 * before and after the exit. Failures: MEMORY_MAP; UNUSABLE_BLOCK (the map says that a claim is not
 * in write-back RAM, so the direct map would not have it); those of screen_conflicts_drop(). */
bool regions_convert(struct loader *loader, unsigned levels);

/* The same for the final map. Also set the mapping of each firmware table. */
bool regions_build(struct loader *loader);

/* Log the faults of the map from which regions_build() built the regions last. */
void regions_warn(struct loader *loader);

#endif
