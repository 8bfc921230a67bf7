/*
 * handoff_memory.h - allocate the pages of the handoff block.
 */
#ifndef BOOTLOADER_FIRMWARE_HANDOFF_MEMORY_H
#define BOOTLOADER_FIRMWARE_HANDOFF_MEMORY_H

#include "bootloader/firmware/pages.h"
#include "bootloader/pure/handoff_block.h"

/* Reserve the block, and read a first memory map into it. The reservation itself may enlarge the
 * map. Firmware whose map outgrows the slack several times is refused. Failures: MEMORY_MAP,
 * OUT_OF_MEMORY, BAD_ALLOCATION. On failure *ret_block is not written. */
enum loader_error handoff_memory_reserve(struct pages *pages, uint32_t processor_count,
                                         struct handoff_block *ret_block)
    __attribute__((warn_unused_result));

#endif
