#include "kernel/diagnostics/print_early_heap.h"

#include "kernel/core/log.h"
#include "kernel/mm/early_heap_picture.h"

static void print_phases(const struct early_heap *heap)
{
    for (uint32_t i = 0; i < heap->phase_count; i++) {
        const struct early_heap_phase *phase = &heap->phases[i];
        if (phase->allocation_count != 0)
            log_line("early-heap-stats", "phase=\"%s\" allocations=%llu bytes=%llu", phase->name,
                     (unsigned long long)phase->allocation_count,
                     (unsigned long long)phase->allocated_bytes);
    }
}

void print_early_heap(const struct early_heap *heap)
{
    print_phases(heap);
    struct early_heap_statistics sum = early_heap_statistics(heap);
    log_line("early-heap-stats", "size=%llu used=%llu free=%llu peak=%llu allocations=%llu",
             (unsigned long long)sum.size_bytes, (unsigned long long)sum.used_bytes,
             (unsigned long long)sum.free_bytes, (unsigned long long)sum.peak_bytes,
             (unsigned long long)sum.allocation_count);
    char map[EARLY_HEAP_MAP_CHARACTERS + 1];
    uint64_t stretch_bytes = early_heap_map_draw(heap, map);
    log_line("early-heap-map", "from=%p map=%s", (void *)heap->start.value, map);
    log_line("early-heap-map", "character=%llu", (unsigned long long)stretch_bytes);
}
