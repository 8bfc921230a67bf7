/*
 * handoff_block.h - how the block of pages is laid out that the kernel is given: struct handoff and
 * everything that it points to.
 *
 *   +---------+----------+-------------+---------+-----+---------+---------+---------+
 *   | handoff | timeline | temp heap,  | command | log | EFI map | regions | scratch |
 *   |         |          | framebuffer,| line,   |     | + slack |         |         |
 *   |         |          | tables      | path    |     |         |         |         |
 *   +---------+----------+-------------+---------+-----+---------+---------+---------+
 *   ^ page-aligned; each part begins at a multiple of 16
 *
 * It is reserved while the firmware is there, with slack for a memory map that grows, because after
 * ExitBootServices() nothing can be allocated. The scratch is for the conversion of the map. Pure.
 */
#ifndef BOOTLOADER_PURE_HANDOFF_BLOCK_H
#define BOOTLOADER_PURE_HANDOFF_BLOCK_H

#include "bootloader/pure/efi_map.h"
#include "bootloader/pure/memory_map.h"
#include "shared/handoff.h"
#include "shared/range.h"

struct handoff_block {
    struct phys_range memory; /* as the kernel is told */
    uint8_t *bytes;           /* where it is written */
    struct handoff *handoff;
    struct handoff_moment *timeline;
    struct handoff_temp_heap *temp_heaps;
    struct handoff_framebuffer *framebuffers;
    struct handoff_firmware_table *firmware_tables;
    char *command_line;
    char *kernel_path;
    char *log;
    struct efi_map map;          /* its rows are a part of the block */
    struct memory_map_room room; /* so are the regions, and the scratch */
    size_t region_count;
};

/* How large a block with room for `map_capacity_bytes` of the firmware's map is: whole pages. */
uint64_t handoff_block_size_bytes(uint64_t map_capacity_bytes);

/* Lay the parts out.
 *   memory  handoff_block_size_bytes(map_capacity_bytes) bytes, page-aligned
 *   bytes   where they are written: the same memory */
void handoff_block_lay_out(uint64_t map_capacity_bytes, struct phys_range memory, void *bytes,
                           struct handoff_block *ret_block);

/* The physical address of what lies at `part` of the block. */
uint64_t handoff_block_address(const struct handoff_block *block, const void *part);

#endif
