/*
 * load.h - read handoff.conf, and load the kernel and the modules that it names.
 */
#ifndef BOOTLOADER_LOAD_H
#define BOOTLOADER_LOAD_H

#include "bootloader/loader.h"

/* Read the files from the volume of the loader, and load kernel and modules. Failures: NO_VOLUME,
 * NETWORK_START, CONFIG, FILE_*, KERNEL_INVALID, OUT_OF_MEMORY, MODULE_MEMORY, BAD_ALLOCATION. */
bool load_from_volume(struct loader *loader);

#endif
