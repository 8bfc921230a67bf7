/*
 * load.h - load the kernel and the modules of the chosen entry.
 */
#ifndef BOOTLOADER_LOAD_H
#define BOOTLOADER_LOAD_H

#include "bootloader/loader.h"

/* Load kernel and modules from the volume of the loader. On failure their memory is freed, and
 * another entry can be tried. Failures: SETTING_REFUSED, FILE_*, KERNEL_*, MODULE_MEMORY,
 * OUT_OF_MEMORY, BAD_ALLOCATION. */
bool load_entry(struct loader *loader);

#endif
