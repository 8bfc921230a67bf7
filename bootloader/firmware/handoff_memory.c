#include "bootloader/firmware/handoff_memory.h"

#include "bootloader/firmware/exit.h"

/* The number of rows by which the map may grow until the exit of boot services. Each allocation
 * splits a row into two or three, and the loader makes one more allocation. The rest is for
 * allocations of the firmware. */
#define MAP_SLACK_ROWS    UINT64_C(32)
#define MAP_RESERVE_LIMIT 4

static enum loader_error reserve_once(struct pages *pages, uint64_t slack_rows,
                                      struct handoff_capacity *capacity,
                                      struct handoff_block *ret_block)
{
    struct efi_map map;
    struct phys_range memory;
    enum loader_error error = exit_measure_map(&map);
    if (error != LOADER_OK)
        return error;
    capacity->map_bytes = map.size_bytes + slack_rows * map.stride_bytes;
    error = pages_allocate(pages, handoff_block_size_bytes(capacity), HANDOFF_REGION_HANDOFF_DATA,
                           &memory);
    if (error == LOADER_OK)
        handoff_block_lay_out(capacity, memory, (void *)memory.start.value, ret_block);
    return error;
}

enum loader_error handoff_memory_reserve(struct pages *pages, struct handoff_capacity *capacity,
                                         struct handoff_block *ret_block)
{
    struct handoff_block block;
    for (unsigned attempt = 0; attempt < MAP_RESERVE_LIMIT; attempt++) {
        enum loader_error error = reserve_once(pages, MAP_SLACK_ROWS << attempt, capacity, &block);
        if (error != LOADER_OK)
            return error;
        EFI_STATUS status = exit_read_map(&block.map);
        if (!EFI_ERROR(status)) {
            *ret_block = block;
            return LOADER_OK;
        }
        pages_free(pages, block.memory.start);
        if (status != EFI_BUFFER_TOO_SMALL)
            return error_set(LOADER_ERROR_MEMORY_MAP, status, "reading it");
    }
    return error_set(LOADER_ERROR_MEMORY_MAP, EFI_BUFFER_TOO_SMALL, "it grows at each read");
}
