/*
 * modules.h - read the modules into memory.
 */
#ifndef BOOTLOADER_MODULES_H
#define BOOTLOADER_MODULES_H

#include "bootloader/loader.h"

/* Read the modules of the configuration, in their order, each into pages of its own. The rest of
 * the last page is zero. Failures: FILE_* (an empty file is one), MODULE_MEMORY, BAD_ALLOCATION, those
 * of integrity_admit(). */
bool modules_load(struct loader *loader);

#endif
