/*
 * handoff_block.h - the layout of the handoff block: struct handoff, and all data that it points
 * to.
 *
 *   +---------+----------+-------------+---------+-----+---------+---------+---------+
 *   | handoff | timeline | temp heap,  | command | log | EFI map | regions | scratch |
 *   |         |          | framebuf-   | line,   |     | + slack |         |         |
 *   |         |          | fers, …     | path    |     |         |         |         |
 *   +---------+----------+-------------+---------+-----+---------+---------+---------+
 *   ^ page-aligned; each part begins at a multiple of 16
 *
 * The block is reserved before ExitBootServices(), because no memory can be allocated after it. It
 * has slack for a memory map that grows. The scratch is for the conversion of the map. Pure.
 */
#ifndef BOOTLOADER_PURE_HANDOFF_BLOCK_H
#define BOOTLOADER_PURE_HANDOFF_BLOCK_H

#include "bootloader/pure/config_module.h"
#include "bootloader/pure/efi_map.h"
#include "bootloader/pure/memory_map.h"
#include "shared/handoff.h"
#include "shared/range.h"

struct handoff_block {
    struct phys_range memory; /* the physical range, for the kernel */
    uint8_t *bytes;           /* where the loader writes it */
    struct handoff *handoff;
    struct handoff_moment *timeline;
    struct handoff_temp_heap *temp_heaps;
    struct handoff_framebuffer *framebuffers;
    struct handoff_processor *processors;
    struct handoff_firmware_table *firmware_tables;
    char *command_line;
    char *kernel_path;
    struct handoff_module *modules;
    char *module_texts; /* all of config_modules.texts */
    char *log;
    struct efi_map map;          /* its rows are in the block */
    struct memory_map_room room; /* regions and scratch are in the block */
    size_t region_count;
    uint32_t processor_count;
};

/* What a block has room for. */
struct handoff_capacity {
    uint64_t map_bytes; /* of the firmware's map */
    uint32_t processor_count;
    const struct config_modules *modules;
};

/* Return the size of a block, in whole pages. */
uint64_t handoff_block_size_bytes(const struct handoff_capacity *capacity);

/* Lay the parts out.
 *   memory  handoff_block_size_bytes(capacity) bytes, page-aligned
 *   bytes   where the loader writes them: the same memory */
void handoff_block_lay_out(const struct handoff_capacity *capacity, struct phys_range memory,
                           void *bytes, struct handoff_block *ret_block);

/* Describe the array of `count` elements from `first` on, a part of the block. Precondition:
 * *ret_array is zero, which it stays if there is no element. */
void handoff_block_array(const struct handoff_block *block, const void *first, size_t count,
                         size_t stride_bytes, struct handoff_array *ret_array);

/* Return the physical address of `part`, which lies in the block. */
uint64_t handoff_block_address(const struct handoff_block *block, const void *part);

#endif
