/*
 * levels.h - choose the number of page-table levels with which the kernel begins.
 */
#ifndef BOOTLOADER_LEVELS_H
#define BOOTLOADER_LEVELS_H

#include "bootloader/loader.h"

/* Choose five levels if the user asks for them or RAM needs them, and if they are possible.
 * Otherwise choose the levels that the firmware uses. Reserve the trampoline if one is needed, and
 * convert the map for the chosen levels. Failures: those of regions_convert(). */
bool levels_choose(struct loader *loader);

#endif
