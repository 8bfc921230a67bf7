#include "bootloader/reserve.h"

#include "bootloader/firmware/handoff_memory.h"
#include "bootloader/firmware/temp_heap.h"
#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/regions.h"
#include "shared/address.h"

/* Processors start in a mode that reaches only 1 MiB. */
#define PROCESSOR_START_LIMIT (UINT64_C(1) << 20)

/* With the largest number of levels, the direct map reaches all memory. */
#define LEVELS_FOR_ALL_RAM 5

/* A machine without such a page can still run on one processor. */
static bool reserve_processor_start(struct loader *loader)
{
    enum loader_error error =
        pages_allocate_below(&loader->pages, PAGE_SIZE_BYTES, phys_addr(PROCESSOR_START_LIMIT),
                             HANDOFF_REGION_PROCESSOR_START, &loader->placement.processor_start);
    if (error == LOADER_ERROR_OUT_OF_MEMORY)
        console_warn("no page below 1 MiB is free: no other processor can be started");
    return error == LOADER_OK || error == LOADER_ERROR_OUT_OF_MEMORY;
}

static uint64_t stack_size_bytes(const struct kernel_demands *demands)
{
    return demands->stack_size_bytes > BOOTSTRAP_STACK_SIZE_BYTES ? demands->stack_size_bytes
                                                                  : BOOTSTRAP_STACK_SIZE_BYTES;
}

bool reserve_memory(struct loader *loader)
{
    struct placement *placement = &loader->placement;
    loader_begin_phase(loader, "reserve memory");
    if (temp_heaps_reserve(&loader->pages, &loader->config.temp_heaps, placement->temp_heaps) !=
            LOADER_OK ||
        pages_allocate(&loader->pages, stack_size_bytes(&loader->demands), HANDOFF_REGION_STACK,
                       &placement->stack) != LOADER_OK ||
        !reserve_processor_start(loader))
        return false;
    return true;
}

bool reserve_handoff(struct loader *loader)
{
    loader_begin_phase(loader, "reserve handoff");
    struct handoff_capacity capacity = {
        .processor_count = loader->processors.count,
        .modules = &loader->config.modules,
    };
    return handoff_memory_reserve(&loader->pages, &capacity, &loader->block) == LOADER_OK &&
           regions_convert(loader, LEVELS_FOR_ALL_RAM);
}
