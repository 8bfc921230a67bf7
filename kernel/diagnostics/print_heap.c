#include "kernel/diagnostics/print_heap.h"

#include "kernel/core/log.h"
#include "kernel/mm/heap/include/handoff/heap_picture.h"

static void print_figures(const struct heap_picture *picture, const char *when)
{
    const struct heap_statistics *figures = &picture->statistics;
    log_line(
        "heap-stats",
        "size=%zu used=%zu free=%zu overhead=%zu peak=%zu largest=%zu blocks=%zu pieces=%zu "
        "waiting=%zu allocations=%llu frees=%llu failures=%llu internal_permille=%u "
        "external_permille=%u guarded_blocks=%zu guarded=%zu sampled=%llu unguarded=%llu when=%s",
        figures->size_bytes, figures->used_bytes, figures->free_bytes, figures->overhead_bytes,
        figures->peak_used_bytes, figures->largest_free_bytes, figures->live_block_count,
        figures->free_block_count, figures->quarantine_block_count,
        (unsigned long long)figures->allocation_count, (unsigned long long)figures->free_count,
        (unsigned long long)figures->failure_count, picture->internal_permille,
        picture->external_permille, figures->guarded_block_count, figures->guarded_bytes,
        (unsigned long long)figures->sampled_count, (unsigned long long)figures->unguarded_count,
        when);
}

static void print_sizes(const struct heap_picture *picture)
{
    for (unsigned size_class = 0; size_class < HEAP_SIZE_CLASS_COUNT; size_class++) {
        if (picture->live_counts[size_class] != 0)
            log_line("heap-stats", "up_to_bytes=%llu blocks=%llu",
                     (unsigned long long)(UINT64_C(1) << size_class),
                     (unsigned long long)picture->live_counts[size_class]);
    }
}

static void print_row(void *context, const void *start, const char *text)
{
    (void)context;
    log_line("heap-map", "from=%p map=%s", start, text);
}

void print_heap(const struct heap *heap, const char *when)
{
    struct heap_picture picture;
    heap_picture_take(heap, &picture);
    print_figures(&picture, when);
    print_sizes(&picture);
    size_t stretch_bytes;
    heap_map_draw(heap, print_row, NULL, &stretch_bytes);
    log_line("heap-map", "character=%zu", stretch_bytes);
}
