/*
 * tables.h - the kernel's first page tables.
 */
#ifndef BOOTLOADER_TABLES_H
#define BOOTLOADER_TABLES_H

#include "bootloader/loader.h"

/* Reserve a pool for them. Precondition: the block holds the regions of a first map, from which the
 * bound is computed. Failures: OUT_OF_MEMORY, BAD_ALLOCATION. */
bool tables_reserve(struct loader *loader);

/* Build them from the regions of the final map. A second call starts over. If there is a trampoline, build its tables too.
 * Failure: PAGE_TABLES. */
bool tables_build(struct loader *loader);

#endif
