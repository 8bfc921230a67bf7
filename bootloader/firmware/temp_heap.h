/*
 * temp_heap.h - allocate the temporary heaps. The kernel uses the first of them first.
 */
#ifndef BOOTLOADER_FIRMWARE_TEMP_HEAP_H
#define BOOTLOADER_FIRMWARE_TEMP_HEAP_H

#include "bootloader/firmware/console.h"
#include "bootloader/firmware/pages.h"
#include "bootloader/pure/config_heap.h"

/* Allocate the heaps, in their order, and write their ranges to `heaps`, which begins as zeros. A
 * heap for which the firmware has no memory is left out, with a warning. If there is none, the
 * kernel uses memory inside its image. Failures: BAD_ALLOCATION, MEMORY_MAP. */
enum loader_error temp_heaps_reserve(struct pages *pages, const struct config_heaps *wanted,
                                     struct phys_range heaps[CONFIG_HEAP_LIMIT])
    __attribute__((warn_unused_result));

#endif
