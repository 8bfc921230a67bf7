/*
 * levels.h - choose the number of page-table levels with which the kernel begins.
 */
#ifndef BOOTLOADER_LEVELS_H
#define BOOTLOADER_LEVELS_H

#include "bootloader/loader.h"

/* Choose what the user wishes (`paging=`), or five levels if RAM needs them, or the levels that the
 * firmware uses (bootloader/pure/level_choice.h). If the choice is not possible, warn, and stay
 * with the firmware's levels. Reserve the trampoline if one is needed, and convert the map for the
 * chosen levels. Failures: KERNEL_DEMAND (the kernel does not support the levels with which it
 * would begin); those of regions_convert(). */
bool levels_choose(struct loader *loader);

#endif
