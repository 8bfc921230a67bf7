/*
 * load.h - read handoff.conf, and load the kernel that it names.
 */
#ifndef BOOTLOADER_LOAD_H
#define BOOTLOADER_LOAD_H

#include "bootloader/loader.h"

/* Read both files from the volume of the loader, and load the kernel.
 * Failures: NO_VOLUME, NETWORK_START, CONFIG, FILE_*, KERNEL_INVALID, OUT_OF_MEMORY, BAD_ALLOCATION. */
bool load_from_volume(struct loader *loader);

#endif
