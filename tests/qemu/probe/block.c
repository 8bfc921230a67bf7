#include "tests/qemu/probe/block.h"

#include <stddef.h>

static struct block block_make(const char *name, uint64_t base, uint64_t size_bytes, uint32_t type)
{
    struct block block = {.name = name, .start = base, .end = base + size_bytes, .type = type};
    return block;
}

static void add_heaps_and_modules(const struct handoff *handoff, struct block *blocks)
{
    for (uint32_t i = 1; i < BLOCK_HEAP_LIMIT; i++) {
        struct handoff_temp_heap heap = block_heap(handoff, i);
        *blocks++ =
            block_make("temporary heap", heap.base, heap.size_bytes, HANDOFF_REGION_TEMP_HEAP);
    }
    for (uint32_t i = 0; i < BLOCK_MODULE_LIMIT; i++) {
        const struct handoff_module *module = block_module(handoff, i);
        uint64_t base = module == NULL ? 0 : module->base;
        uint64_t size_bytes = module == NULL ? 0 : (module->size_bytes + PAGE - 1) / PAGE * PAGE;
        *blocks++ = block_make("module", base, size_bytes, HANDOFF_REGION_MODULE);
    }
}

void block_list(const struct handoff *handoff, struct block blocks[BLOCK_COUNT])
{
    blocks[0] = block_make("kernel image", handoff->kernel_physical_base,
                           handoff->kernel_size_bytes, HANDOFF_REGION_KERNEL_IMAGE);
    blocks[1] = block_make("stack", handoff->stack_physical_base, handoff->stack_size_bytes,
                           HANDOFF_REGION_STACK);
    blocks[2] = block_make("page tables", handoff->page_tables_base,
                           handoff->page_tables_size_bytes, HANDOFF_REGION_PAGE_TABLES);
    blocks[3] = block_make("handoff data", handoff->data_base, handoff->data_size_bytes,
                           HANDOFF_REGION_HANDOFF_DATA);
    blocks[4] = block_make("temporary heap", handoff->temp_heap_base, handoff->temp_heap_size,
                           HANDOFF_REGION_TEMP_HEAP);
    blocks[5] = block_make("loader", handoff->loader_physical_base, handoff->loader_size_bytes,
                           HANDOFF_REGION_LOADER);
    blocks[6] = block_make("processor start", handoff->processor_start_base,
                           handoff->processor_start_size_bytes, HANDOFF_REGION_PROCESSOR_START);
    blocks[7] = block_make("boot record", handoff->previous_boot.base,
                           handoff->previous_boot.size_bytes, HANDOFF_REGION_BOOT_RECORD);
    blocks[8] = block_make("parking", handoff->parking.base, handoff->parking.size_bytes,
                           HANDOFF_REGION_PARKING);
    for (uint32_t i = 0; i < BLOCK_SCREEN_LIMIT; i++) {
        struct handoff_framebuffer framebuffer = block_framebuffer(handoff, i);
        blocks[9 + i] = block_make("framebuffer", framebuffer.base, framebuffer.size_bytes,
                                   HANDOFF_REGION_FRAMEBUFFER);
    }
    add_heaps_and_modules(handoff, blocks + 8 + BLOCK_SCREEN_LIMIT);
}

void *block_pointer(const struct handoff *handoff, uint64_t physical)
{
    return (void *)(handoff->direct_map_base + physical);
}

const struct handoff_region *block_region(const struct handoff *handoff, uint32_t index)
{
    return block_pointer(handoff,
                         handoff->regions.first + (uint64_t)index * handoff->regions.stride_bytes);
}

const struct handoff_region *block_region_of(const struct handoff *handoff, uint64_t address)
{
    for (uint32_t i = 0; i < handoff->regions.count; i++) {
        const struct handoff_region *region = block_region(handoff, i);
        if (address >= region->base && address - region->base < region->size_bytes)
            return region;
    }
    return NULL;
}

struct handoff_framebuffer block_framebuffer(const struct handoff *handoff, uint32_t index)
{
    struct handoff_framebuffer none = {.base = 0};
    if (index >= handoff->framebuffers.count)
        return none;
    return *(const struct handoff_framebuffer *)block_pointer(
        handoff,
        handoff->framebuffers.first + (uint64_t)index * handoff->framebuffers.stride_bytes);
}

struct handoff_temp_heap block_heap(const struct handoff *handoff, uint32_t index)
{
    struct handoff_temp_heap none = {.base = 0};
    if (index >= handoff->temp_heaps.count)
        return none;
    return *(const struct handoff_temp_heap *)block_pointer(
        handoff, handoff->temp_heaps.first + (uint64_t)index * handoff->temp_heaps.stride_bytes);
}

const struct handoff_module *block_module(const struct handoff *handoff, uint32_t index)
{
    if (index >= handoff->modules.count)
        return NULL;
    return block_pointer(handoff,
                         handoff->modules.first + (uint64_t)index * handoff->modules.stride_bytes);
}

/* Return the bytes of [start, end) in regions of a type (0: any type) that have the facts. */
static uint64_t bytes_of(const struct handoff *handoff, uint64_t start, uint64_t end, uint32_t type,
                         uint32_t facts)
{
    uint64_t sum_bytes = 0;
    for (uint32_t i = 0; i < handoff->regions.count; i++) {
        const struct handoff_region *region = block_region(handoff, i);
        bool counts = (type == 0 || region->type == type) && (region->facts & facts) == facts;
        uint64_t from = region->base > start ? region->base : start;
        uint64_t region_end = region->base + region->size_bytes;
        uint64_t to = region_end < end ? region_end : end;
        if (counts && from < to)
            sum_bytes += to - from;
    }
    return sum_bytes;
}

uint64_t block_bytes_of_type(const struct handoff *handoff, uint64_t start, uint64_t end,
                             uint32_t type)
{
    return bytes_of(handoff, start, end, type, 0);
}

uint64_t block_bytes_with_facts(const struct handoff *handoff, uint64_t start, uint64_t end,
                                uint32_t facts)
{
    return bytes_of(handoff, start, end, 0, facts);
}

bool block_is_readable(const struct handoff *handoff, uint64_t start, uint64_t size_bytes)
{
    return size_bytes <= UINT64_MAX - start &&
           block_bytes_with_facts(handoff, start, start + size_bytes, HANDOFF_FACT_MAPPED) ==
               size_bytes;
}
