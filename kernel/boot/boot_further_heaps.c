#include "kernel/boot/boot_further_heaps.h"

#include "shared/region.h"

/* If no record is left for a part of a region, it stays reserved. */
static uint64_t give_back(struct kernel *kernel, uint64_t start, uint64_t end)
{
    if (start >= end || !frame_allocator_reclaim(&kernel->frames, phys_range(start, end)))
        return 0;
    return (end - start) / FRAME_SIZE_BYTES;
}

/* The loader's regions are maximal: heaps that touch are one region. */
uint64_t boot_further_heaps_give_back(struct kernel *kernel)
{
    if (kernel->early_heap_is_fallback)
        return frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_HEAP);

    uint64_t used_start = kernel->handoff.temp_heap_base;
    uint64_t used_end = used_start + kernel->handoff.temp_heap_size;
    uint64_t frame_count = 0;
    for (uint32_t i = 0; i < kernel->view.regions.count; i++) {
        struct phys_range range = region_list_range(&kernel->view.regions, i);
        uint64_t start = range.start.value;
        uint64_t end = range.end.value;
        if (region_reuse(region_list_at(&kernel->view.regions, i)) != HANDOFF_REUSE_AFTER_HEAP)
            continue;
        frame_count += give_back(kernel, start, end < used_start ? end : used_start);
        frame_count += give_back(kernel, start < used_end ? used_end : start, end);
    }
    return frame_count;
}
