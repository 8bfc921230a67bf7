#include "kernel/mm/heap/heap_brief.h"

#include "kernel/mm/heap/heap_state.h"

struct heap_brief heap_brief(const struct heap *heap)
{
    return (struct heap_brief){
        .size_bytes = heap->size_bytes,
        .limit_bytes = heap->limit_bytes,
        .used_bytes = heap_counters_used_bytes(&heap->counters),
        .peak_bytes = heap->counters.peak_used_bytes,
        .free_count = heap->counters.free_count,
        .failure_count = heap->counters.failure_count,
    };
}
