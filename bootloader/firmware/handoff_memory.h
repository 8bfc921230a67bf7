/*
 * handoff_memory.h - allocate the pages of the handoff block.
 */
#ifndef BOOTLOADER_FIRMWARE_HANDOFF_MEMORY_H
#define BOOTLOADER_FIRMWARE_HANDOFF_MEMORY_H

#include "bootloader/firmware/pages.h"
#include "bootloader/pure/handoff_block.h"

/* Reserve the block, and read a first memory map into it. The function sets capacity->map_bytes,
 * and the caller sets the other fields. The reservation itself may enlarge the map. Firmware whose map outgrows the slack several times is refused. Failures: MEMORY_MAP,
 * OUT_OF_MEMORY, BAD_ALLOCATION. On failure *ret_block is not written. */
enum loader_error handoff_memory_reserve(struct pages *pages, struct handoff_capacity *capacity,
                                         struct handoff_block *ret_block)
    __attribute__((warn_unused_result));

#endif
