#include "kernel/diagnostics/panic_memory.h"

#include "kernel/core/panic_report.h"
#include "kernel/mm/heap/heap_brief.h"
#include "shared/text/format.h"

static void describe_frames(const struct frame_allocator *frames, char *text, size_t capacity_bytes)
{
    format_text(text, capacity_bytes, "frames total=%llu free=%llu reserved=%llu",
                (unsigned long long)frames->total_count, (unsigned long long)frames->free_count,
                (unsigned long long)(frames->total_count - frames->released_count));
}

static void describe_heap(const struct heap *heap, char *text, size_t capacity_bytes)
{
    struct heap_brief brief = heap_brief(heap);
    format_text(text, capacity_bytes,
                "heap size=%zu limit=%zu used=%zu peak=%zu frees=%llu failures=%llu",
                brief.size_bytes, brief.limit_bytes, brief.used_bytes, brief.peak_bytes,
                (unsigned long long)brief.free_count, (unsigned long long)brief.failure_count);
}

static bool describe(const void *context, unsigned index, char *text, size_t capacity_bytes)
{
    const struct kernel *kernel = context;
    if (index == 0 && kernel->frames.total_count != 0)
        describe_frames(&kernel->frames, text, capacity_bytes);
    else if (index == 1 && kernel->heap != NULL)
        describe_heap(kernel->heap, text, capacity_bytes);
    else
        return false;
    return true;
}

void panic_memory_open(const struct kernel *kernel)
{
    panic_describe_memory_with(describe, kernel);
}
