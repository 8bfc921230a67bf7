/*
 * temp_heap.h - allocate the temporary heap, which the kernel uses first.
 */
#ifndef BOOTLOADER_FIRMWARE_TEMP_HEAP_H
#define BOOTLOADER_FIRMWARE_TEMP_HEAP_H

#include "bootloader/firmware/console.h"
#include "bootloader/firmware/pages.h"

/* Allocate `size_bytes` (0: no heap), and write the range to *ret_heap. If the range is empty, the
 * kernel uses memory inside its image. If the firmware has no memory, a warning is logged and the
 * range is empty. Failure: BAD_ALLOCATION; *ret_heap is then not written. */
enum loader_error temp_heap_reserve(struct pages *pages, uint64_t size_bytes,
                                    struct console *console, struct phys_range *ret_heap)
    __attribute__((warn_unused_result));

#endif
