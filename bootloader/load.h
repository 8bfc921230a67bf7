/*
 * load.h - load the kernel of the chosen entry.
 */
#ifndef BOOTLOADER_LOAD_H
#define BOOTLOADER_LOAD_H

#include "bootloader/loader.h"

/* Load the kernel from the volume of the loader. On failure its memory is freed, and another entry
 * can be tried. Failures: INJECT_REFUSED, FILE_*, KERNEL_*, OUT_OF_MEMORY, BAD_ALLOCATION. */
bool load_entry(struct loader *loader);

#endif
