#include "kernel/mm/heap/include/handoff/heap_debug.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/layers/heap_debug_fault.h"
#include "kernel/mm/heap/layers/heap_debug_pattern.h"
#include "kernel/mm/heap/layers/heap_debug_quarantine.h"
#include "kernel/mm/heap/layers/heap_debug_view.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"

/* Return the record of `block`, if this is a live block and intact. NULL: the fault is recorded, or
 * the level below has reported it. */
static struct heap_debug_record *validate(struct heap *heap, const uint8_t *block,
                                          const void *caller)
{
    const struct heap_debug *debug = heap_debug_of(heap);
    size_t total_bytes = debug->layer.below.usable_size(heap, block, caller);
    if (total_bytes == 0)
        return NULL;
    struct heap_debug_record *record = heap_debug_record_at(block, total_bytes);
    enum heap_fault_kind kind = HEAP_FAULT_OVERRUN;
    const char *detail = "the bytes behind the block were overwritten";
    if (!heap_debug_record_is_of(debug, record, total_bytes)) {
        detail = "the record behind the block was overwritten";
    } else if (record->state == HEAP_DEBUG_QUARANTINED) {
        kind = HEAP_FAULT_DOUBLE_FREE;
        detail = "the block is already free";
    } else if (heap_debug_canary_is_intact(block, record)) {
        return record;
    }
    heap_debug_fault_record(heap, kind, block, block, total_bytes, detail);
    return NULL;
}

/* Free a block that validate() has accepted. False: the heap is corrupt, or the level below has
 * refused the block. */
static bool release(struct heap *heap, uint8_t *block, struct heap_debug_record *record,
                    const void *caller)
{
    if (!heap->policy->frees_newest_only)
        return heap_debug_quarantine_add(heap, block, record, caller);
    struct heap_debug *debug = heap_debug_of(heap);
    size_t size_bytes = record->size_bytes;
    uint64_t fault_count = heap->counters.fault_count;
    debug->layer.below.free(heap, block, caller);
    if (heap->counters.fault_count != fault_count)
        return false;
    heap_counters_free(&debug->counters, 1, size_bytes);
    return true;
}

/* --- Allocation ------------------------------------------------------------------------------- */

static void *take(struct heap *heap, size_t size_bytes, size_t alignment_bytes, const void *caller)
{
    const struct heap_operations *below = &heap_debug_of(heap)->layer.below;
    size_t total_bytes = heap_debug_total_for(size_bytes);
    return alignment_bytes <= HEAP_ALIGNMENT_BYTES
               ? below->allocate(heap, total_bytes, caller)
               : below->allocate_aligned(heap, total_bytes, alignment_bytes, caller);
}

/* The same as take(), but it flushes the quarantine if there is no room. `alignment_bytes` is a
 * power of two. NULL: the flush did not help, or the heap is corrupt. The failure is not counted
 * here. */
static uint8_t *obtain(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                       const void *caller)
{
    struct heap_debug *debug = heap_debug_of(heap);
    if (size_bytes >= heap->limit_bytes || alignment_bytes >= heap->limit_bytes - size_bytes)
        return NULL;
    uint8_t *block = take(heap, size_bytes, alignment_bytes, caller);
    if (block == NULL && !heap->is_corrupt && debug->quarantine.oldest != NULL &&
        heap_debug_quarantine_flush(heap, caller))
        block = take(heap, size_bytes, alignment_bytes, caller);
    if (block == NULL)
        return NULL;
    heap_debug_pattern_fill(block, size_bytes, HEAP_DEBUG_NEW_BYTE);
    heap_debug_record_write(debug, block, size_bytes, alignment_bytes, caller);
    heap_counters_allocate(&debug->counters, size_bytes);
    return block;
}

/* Not inline, to keep the path of every call short. */
static __attribute__((noinline)) void *fail(struct heap *heap, const void *caller)
{
    heap_debug_of(heap)->counters.failure_count++;
    heap_fault_report(heap, caller);
    return NULL;
}

static inline void *debug_allocate_aligned(struct heap *heap, size_t size_bytes,
                                           size_t alignment_bytes, const void *caller)
{
    uint8_t *block = NULL;
    if (is_power_of_two(alignment_bytes))
        block = obtain(heap, size_bytes, alignment_bytes, caller);
    return block != NULL ? block : fail(heap, caller);
}

static void *debug_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    return debug_allocate_aligned(heap, size_bytes, HEAP_ALIGNMENT_BYTES, caller);
}

/* --- Free and size ---------------------------------------------------------------------------- */

static void debug_free(struct heap *heap, void *block, const void *caller)
{
    if (block == NULL)
        return;
    struct heap_debug_record *record = validate(heap, block, caller);
    if (record == NULL || !release(heap, block, record, caller))
        heap_fault_report(heap, caller);
}

static size_t debug_usable_size(struct heap *heap, const void *block, const void *caller)
{
    if (block == NULL)
        return 0;
    const struct heap_debug_record *record = validate(heap, block, caller);
    if (record != NULL)
        return record->size_bytes;
    heap_fault_report(heap, caller);
    return 0;
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

/* Let the level below resize the block: there is no room for a copy, or the policy frees only the
 * newest block. The block keeps its first bytes. Canary and record are written again. */
static void *resize(struct heap *heap, uint8_t *block, const struct heap_debug_record *record,
                    size_t size_bytes, const void *caller)
{
    struct heap_debug *debug = heap_debug_of(heap);
    size_t old_bytes = record->size_bytes;
    size_t alignment_bytes = (size_t)1 << record->alignment_shift;
    uint8_t *resized =
        debug->layer.below.reallocate(heap, block, heap_debug_total_for(size_bytes), caller);
    if (resized == NULL)
        return NULL;
    if (size_bytes > old_bytes)
        heap_debug_pattern_fill(resized + old_bytes, size_bytes - old_bytes, HEAP_DEBUG_NEW_BYTE);
    heap_debug_record_write(debug, resized, size_bytes, alignment_bytes, caller);
    if (resized == block) {
        heap_counters_resize(&debug->counters, old_bytes, size_bytes);
    } else {
        heap_counters_allocate(&debug->counters, size_bytes);
        heap_counters_free(&debug->counters, 1, old_bytes);
    }
    return resized;
}

/* Precondition: validate() has accepted the block. The block moves whenever it can, so that a later
 * use of the old pointer is found. */
static void *move_or_resize(struct heap *heap, uint8_t *block, struct heap_debug_record *record,
                            size_t size_bytes, const void *caller)
{
    if (size_bytes >= heap->limit_bytes)
        return NULL;
    if (heap->policy->frees_newest_only)
        return resize(heap, block, record, size_bytes, caller);
    uint8_t *moved = obtain(heap, size_bytes, (size_t)1 << record->alignment_shift, caller);
    if (moved == NULL)
        return heap->is_corrupt ? NULL : resize(heap, block, record, size_bytes, caller);
    memcpy(moved, block, smaller(record->size_bytes, size_bytes));
    (void)release(heap, block, record, caller);
    return heap->is_corrupt ? NULL : moved;
}

static void *debug_reallocate(struct heap *heap, void *block, size_t size_bytes, const void *caller)
{
    if (block == NULL)
        return debug_allocate(heap, size_bytes, caller);
    if (size_bytes == 0) {
        debug_free(heap, block, caller);
        return NULL;
    }
    struct heap_debug_record *record = validate(heap, block, caller);
    if (record == NULL) {
        heap_fault_report(heap, caller);
        return NULL;
    }
    void *moved = move_or_resize(heap, block, record, size_bytes, caller);
    return moved != NULL ? moved : fail(heap, caller);
}

/* --- The layer -------------------------------------------------------------------------------- */

static const struct heap_operations debug_operations = {
    .allocate = debug_allocate,
    .allocate_aligned = debug_allocate_aligned,
    .free = debug_free,
    .reallocate = debug_reallocate,
    .usable_size = debug_usable_size,
};

static void debug_initialise(struct heap *heap)
{
    struct heap_debug *debug = heap_debug_of(heap);
    *debug = (struct heap_debug){
        .layer = debug->layer,
        .key = heap_key_derive(heap->secret, HEAP_KEY_RECORDS, (uintptr_t)heap->base),
    };
    heap->outer_counters = &debug->counters;
}

static bool debug_flush(struct heap *heap)
{
    return heap_debug_quarantine_flush(heap, NULL);
}

static void debug_zero(uint8_t *block, size_t bytes)
{
    heap_debug_pattern_fill(block, bytes, 0);
}

static const struct heap_layer_functions functions = {
    .operations = &debug_operations,
    .initialise = debug_initialise,
    .explain = heap_debug_fault_explain,
    .flush = debug_flush,
    .zero = debug_zero,
    .adjust_statistics = heap_debug_view_adjust_statistics,
    .walk = heap_debug_view_walk,
    .check = heap_debug_view_check,
};

HEAP_ASSERT_STORAGE(sizeof(struct heap_debug), struct heap_debug_storage);

struct heap_layer *heap_debug_layer(struct heap_debug_storage *storage)
{
    struct heap_debug *debug = (void *)storage;
    debug->layer.functions = &functions;
    return &debug->layer;
}
