#include "kernel/mm/heap/layers/heap_debug_quarantine.h"

#include "kernel/mm/heap/layers/heap_debug_fault.h"
#include "kernel/mm/heap/layers/heap_debug_pattern.h"

/* True if the freed block is unchanged. False: the fault is recorded. */
static bool validate_untouched(struct heap *heap, const uint8_t *block, size_t total_bytes)
{
    const struct heap_debug_record *record = heap_debug_record_at(block, total_bytes);
    const uint8_t *written = NULL;
    const char *detail = "the record behind a freed block was written to";
    if (heap_debug_record_is_of(heap_debug_of(heap), record, total_bytes)) {
        written = heap_debug_pattern_find_write(block, record->size_bytes, HEAP_DEBUG_FREED_BYTE);
        if (written == NULL && heap_debug_canary_is_intact(block, record))
            return true;
        detail = written == NULL ? "the bytes behind a freed block were written to"
                                 : "a freed block was written to";
    }
    heap_debug_fault_record(heap, HEAP_FAULT_WRITE_AFTER_FREE, written, block, total_bytes, detail);
    return false;
}

static bool release_oldest(struct heap *heap, const void *caller)
{
    struct heap_debug *debug = heap_debug_of(heap);
    struct heap_debug_quarantine *quarantine = &debug->quarantine;
    uint8_t *block = quarantine->oldest;
    size_t total_bytes = debug->layer.below.usable_size(heap, block, caller);
    if (total_bytes == 0)
        return false;
    if (!validate_untouched(heap, block, total_bytes))
        return false;
    quarantine->oldest = heap_debug_record_at(block, total_bytes)->next;
    quarantine->block_count--;
    quarantine->bytes -= total_bytes;
    uint64_t fault_count = heap->counters.fault_count;
    debug->layer.below.free(heap, block, caller);
    return heap->counters.fault_count == fault_count;
}

bool heap_debug_quarantine_flush(struct heap *heap, const void *caller)
{
    while (heap_debug_of(heap)->quarantine.oldest != NULL) {
        if (!release_oldest(heap, caller))
            return false;
    }
    return true;
}

/* Return the most bytes in the quarantine. The minimum helps a heap that is still small and may
 * grow. */
static size_t limit_bytes(const struct heap *heap)
{
    size_t final_bytes = heap->limit_bytes / HEAP_DEBUG_QUARANTINE_PART;
    return larger(heap->size_bytes / HEAP_DEBUG_QUARANTINE_PART,
                  smaller(final_bytes, HEAP_DEBUG_QUARANTINE_MINIMUM_BYTES));
}

static bool is_too_full(const struct heap *heap)
{
    const struct heap_debug_quarantine *quarantine = &heap_debug_of(heap)->quarantine;
    return quarantine->block_count > HEAP_DEBUG_QUARANTINE_LIMIT ||
           quarantine->bytes > limit_bytes(heap);
}

static void append(struct heap_debug *debug, uint8_t *block, struct heap_debug_record *record)
{
    struct heap_debug_quarantine *quarantine = &debug->quarantine;
    if (quarantine->oldest == NULL) {
        quarantine->oldest = block;
    } else {
        quarantine->newest_record->next = block;
        heap_debug_record_seal(debug, quarantine->newest_record);
    }
    quarantine->newest = block;
    quarantine->newest_record = record;
    quarantine->newest_bytes = record->size_bytes;
    quarantine->block_count++;
    quarantine->bytes += heap_debug_total_for(record->size_bytes);
}

/* Check the newest record now. It is about to get a new seal, which would hide that the old one was
 * broken. */
static bool validate_newest(struct heap *heap)
{
    const struct heap_debug *debug = heap_debug_of(heap);
    const struct heap_debug_quarantine *quarantine = &debug->quarantine;
    if (quarantine->oldest == NULL || heap_debug_record_is_sound(debug, quarantine->newest_record))
        return true;
    heap_debug_fault_record(heap, HEAP_FAULT_WRITE_AFTER_FREE, NULL, quarantine->newest,
                            heap_debug_total_for(quarantine->newest_bytes),
                            "the record behind a freed block was written to");
    return false;
}

bool heap_debug_quarantine_add(struct heap *heap, uint8_t *block, struct heap_debug_record *record,
                               const void *caller)
{
    struct heap_debug *debug = heap_debug_of(heap);
    if (!validate_newest(heap))
        return false;
    record->freed_by = caller;
    record->state = HEAP_DEBUG_QUARANTINED;
    heap_debug_record_seal(debug, record);
    heap_debug_pattern_fill(block, record->size_bytes, HEAP_DEBUG_FREED_BYTE);
    append(debug, block, record);
    heap_counters_free(&debug->counters, 1, record->size_bytes);
    while (is_too_full(heap)) {
        if (!release_oldest(heap, caller))
            return false;
    }
    return true;
}
