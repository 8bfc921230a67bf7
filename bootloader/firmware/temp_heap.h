/*
 * temp_heap.h - the memory that the kernel allocates from in its first moments.
 */
#ifndef BOOTLOADER_FIRMWARE_TEMP_HEAP_H
#define BOOTLOADER_FIRMWARE_TEMP_HEAP_H

#include "bootloader/firmware/console.h"
#include "bootloader/firmware/pages.h"

/* Take `size_bytes` (0: none is wanted) and write what was got to *ret_heap. If it is empty, the
 * kernel falls back to memory inside its image. That the firmware has no memory is a warning.
 * Failure: BAD_ALLOCATION; *ret_heap is then not written. */
enum loader_error temp_heap_reserve(struct pages *pages, uint64_t size_bytes,
                                    struct console *console, struct phys_range *ret_heap)
    __attribute__((warn_unused_result));

#endif
