/*
 * handoff_modules.h - write the arrays of temporary heaps and modules into the handoff block.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_HANDOFF_MODULES_H
#define BOOTLOADER_PURE_HANDOFF_MODULES_H

#include "bootloader/pure/config_heap.h"
#include "bootloader/pure/config_module.h"
#include "bootloader/pure/handoff_block.h"

/* Write the heaps up to the first empty range. */
void handoff_write_heaps(const struct handoff_block *block,
                         const struct phys_range heaps[CONFIG_HEAP_LIMIT]);

/* Write the modules and their texts.
 *   places  of the files, with their sizes
 * Precondition: the block was laid out for these modules. */
void handoff_write_modules(const struct handoff_block *block, const struct config_modules *modules,
                           const struct phys_range *places);

#endif
