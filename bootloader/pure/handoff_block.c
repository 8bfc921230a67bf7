#include "bootloader/pure/handoff_block.h"

#include "bootloader/pure/claims.h"
#include "bootloader/pure/config.h"
#include "bootloader/pure/framebuffer.h"
#include "bootloader/pure/loader_log.h"
#include "bootloader/pure/timeline.h"
#include "shared/address.h"

#define PART_ALIGNMENT 16

/* Assign the next part, which begins at *next. */
static void *part_take(uintptr_t *next, uint64_t size_bytes)
{
    void *part = (void *)*next;
    *next += (size_bytes + PART_ALIGNMENT - 1) & ~(uint64_t)(PART_ALIGNMENT - 1);
    return part;
}

static void take_small_parts(struct handoff_block *block, const struct config_modules *modules,
                             uintptr_t *next)
{
    block->handoff = part_take(next, sizeof(struct handoff));
    block->timeline = part_take(next, TIMELINE_CAPACITY * sizeof(struct handoff_moment));
    block->temp_heaps = part_take(next, CONFIG_HEAP_LIMIT * sizeof(struct handoff_temp_heap));
    block->framebuffers = part_take(next, FRAMEBUFFER_LIMIT * sizeof(struct handoff_framebuffer));
    block->processors = part_take(next, block->processor_count * sizeof(struct handoff_processor));
    block->firmware_tables =
        part_take(next, FIRMWARE_TABLES_LIMIT * sizeof(struct handoff_firmware_table));
    block->command_line = part_take(next, CONFIG_COMMAND_LINE_CAPACITY);
    block->kernel_path = part_take(next, CONFIG_PATH_CAPACITY);
    block->modules = part_take(next, modules->count * sizeof(struct handoff_module));
    block->module_texts = part_take(next, modules->text_size_bytes);
    block->log = part_take(next, LOADER_LOG_CAPACITY_BYTES + 1);
}

/* The limit of the map's size bounds the sizes. Return the end of the last part. */
static uintptr_t take_parts(struct handoff_block *block, const struct handoff_capacity *capacity,
                            uintptr_t next)
{
    /* As many rows as fit with the smallest stride that is accepted. */
    uint64_t span_limit = capacity->map_bytes / sizeof(struct memory_map_descriptor) +
                          CLAIMS_LIMIT - (CONFIG_MODULE_LIMIT - capacity->modules->count);
    struct memory_map_room *room = &block->room;

    block->processor_count = capacity->processor_count;
    take_small_parts(block, capacity->modules, &next);
    block->map.capacity_bytes = capacity->map_bytes;
    block->map.rows = part_take(&next, capacity->map_bytes);
    room->region_capacity = 2 * span_limit + 2;
    room->regions = part_take(&next, room->region_capacity * sizeof(struct handoff_region));
    room->work_count = 2 * span_limit;
    room->work = part_take(&next, room->work_count * sizeof(uint64_t));
    return next;
}

uint64_t handoff_block_size_bytes(const struct handoff_capacity *capacity)
{
    struct handoff_block block;
    return page_align_up(take_parts(&block, capacity, 0));
}

void handoff_block_lay_out(const struct handoff_capacity *capacity, struct phys_range memory,
                           void *bytes, struct handoff_block *ret_block)
{
    *ret_block = (struct handoff_block){.memory = memory, .bytes = bytes};
    (void)take_parts(ret_block, capacity, (uintptr_t)bytes);
}

uint64_t handoff_block_address(const struct handoff_block *block, const void *part)
{
    return block->memory.start.value + ((uintptr_t)part - (uintptr_t)block->bytes);
}

void handoff_block_array(const struct handoff_block *block, const void *first, size_t count,
                         size_t stride_bytes, struct handoff_array *ret_array)
{
    if (count != 0)
        *ret_array = (struct handoff_array){handoff_block_address(block, first), (uint32_t)count,
                                            (uint32_t)stride_bytes};
}
