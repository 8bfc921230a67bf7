/*
 * load.h - handoff.conf, and the kernel that it names.
 */
#ifndef BOOTLOADER_LOAD_H
#define BOOTLOADER_LOAD_H

#include "bootloader/loader.h"

/* Read both from the volume that we came from, and load the kernel.
 * Failures: NO_VOLUME, CONFIG, FILE_*, KERNEL_INVALID, OUT_OF_MEMORY, BAD_ALLOCATION. */
bool load_from_volume(struct loader *loader);

#endif
