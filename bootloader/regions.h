/*
 * regions.h - from the firmware's memory map to the regions that the kernel is given.
 */
#ifndef BOOTLOADER_REGIONS_H
#define BOOTLOADER_REGIONS_H

#include "bootloader/loader.h"

/* Convert the map in the block into its regions, with the loader's claims laid over it. RAM
 * that the direct map of `levels` of page tables does not reach becomes reserved. Works before and
 * after exit.
 * Failures: MEMORY_MAP; UNUSABLE_BLOCK (by the map, something that was placed does not lie in
 * write-back RAM, so the direct map would not have it). */
bool regions_convert(struct loader *loader, unsigned levels);

/* The same for the final map. Log its faults, and set in the list of the firmware's tables which of
 * them are mapped. */
bool regions_build(struct loader *loader);

#endif
