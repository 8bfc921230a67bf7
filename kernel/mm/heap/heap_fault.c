#include "kernel/mm/heap/heap_fault.h"

#include "kernel/mm/heap/layer.h"

const char *heap_fault_kind_name(enum heap_fault_kind kind)
{
    switch (kind) {
    case HEAP_FAULT_DOUBLE_FREE:
        return "double free";
    case HEAP_FAULT_BAD_POINTER:
        return "bad pointer";
    case HEAP_FAULT_OVERRUN:
        return "overrun";
    case HEAP_FAULT_CORRUPT:
        return "corrupt";
    case HEAP_FAULT_WRITE_AFTER_FREE:
        return "write after free";
    }
    return "unknown fault";
}

/* --- The operations of a corrupt heap --------------------------------------------------------- */

static void *refuse(struct heap *heap, size_t size_bytes, const void *caller)
{
    (void)size_bytes;
    (void)caller;
    heap->outer_counters->failure_count++;
    return NULL;
}

static void *refuse_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                            const void *caller)
{
    (void)alignment_bytes;
    return refuse(heap, size_bytes, caller);
}

static void refuse_free(struct heap *heap, void *block, const void *caller)
{
    (void)heap;
    (void)block;
    (void)caller;
}

static void *refuse_reallocation(struct heap *heap, void *block, size_t size_bytes,
                                 const void *caller)
{
    (void)block;
    return refuse(heap, size_bytes, caller);
}

static size_t refuse_size(struct heap *heap, const void *block, const void *caller)
{
    (void)heap;
    (void)block;
    (void)caller;
    return 0;
}

static const struct heap_operations refusing_operations = {
    .allocate = refuse,
    .allocate_aligned = refuse_aligned,
    .free = refuse_free,
    .reallocate = refuse_reallocation,
    .usable_size = refuse_size,
};

/* --- Recording and reporting ------------------------------------------------------------------ */

/* A double free or a bad pointer leaves the heap itself sound. After the other kinds no data of the
 * heap can be trusted. */
bool heap_fault_record_final(struct heap *heap, const struct heap_fault *fault)
{
    if (heap->recorded_fault.detail != NULL)
        return false;
    heap->recorded_fault = *fault;
    heap->counters.fault_count++;
    if (fault->kind != HEAP_FAULT_DOUBLE_FREE && fault->kind != HEAP_FAULT_BAD_POINTER) {
        heap->is_corrupt = true;
        heap->operations = refusing_operations;
    }
    return false;
}

bool heap_fault_record(struct heap *heap, const struct heap_fault *fault)
{
    struct heap_fault explained = *fault;
    for (size_t place = 0; place < HEAP_LAYER_COUNT; place++) {
        const struct heap_layer *layer = heap->layers[place];
        if (layer != NULL && layer->functions->explain != NULL)
            layer->functions->explain(heap, &explained);
    }
    return heap_fault_record_final(heap, &explained);
}

void heap_fault_report_recorded(struct heap *heap, const void *caller)
{
    struct heap_fault fault = heap->recorded_fault;
    fault.caller = caller;
    heap->recorded_fault = (struct heap_fault){0};
    heap->fault(heap->fault_context, &fault);
}
