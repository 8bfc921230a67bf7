/*
 * levels.h - how many levels of page tables the kernel begins with.
 */
#ifndef BOOTLOADER_LEVELS_H
#define BOOTLOADER_LEVELS_H

#include "bootloader/loader.h"

/* Five levels where they are asked for or where RAM needs them, and can be had; else those that the
 * firmware uses, which work. Reserves the trampoline if one is needed, and converts the map for the
 * levels that were chosen. Failures: as of regions_convert(). */
bool levels_choose(struct loader *loader);

#endif
