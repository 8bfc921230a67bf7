#include "kernel/mm/heap/layers/guarded_block.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/layers/guarded_canary.h"

void *guarded_block_allocate(struct heap *heap, const struct heap_request *request)
{
    struct guarded *guarded = guarded_of(heap);
    struct guarded_place place;
    uintptr_t block;
    if (!guarded_place_choose(guarded, request, &place, &block))
        return NULL;
    const struct guarded_record record = {
        .block = block,
        .size_bytes = request->size_bytes,
        .allocated_by = request->caller,
        .alignment_shift = (uint8_t)__builtin_ctzll(request->alignment_bytes),
        .life = GUARDED_LIVE,
    };
    if (!guarded_make_usable(guarded, guarded_page_down(block), guarded_page_bytes(&record)))
        return NULL;
    if (!guarded_place_take(guarded, &place)) {
        guarded_take_back(guarded, guarded_page_down(block), guarded_page_bytes(&record));
        return NULL;
    }
    *place.record = record;
    guarded_canary_lay(guarded, &record);
    heap->layer_used_bytes += record.size_bytes;
    guarded->live_count++;
    heap_counters_allocate(heap->outer_counters, record.size_bytes);
    return (void *)block;
}

void guarded_block_free(struct heap *heap, const struct guarded_place *place, const void *caller)
{
    struct guarded *guarded = guarded_of(heap);
    struct guarded_record *record = place->record;
    guarded_take_back(guarded, guarded_page_down(record->block), guarded_page_bytes(record));
    record->freed_by = caller;
    record->life = GUARDED_FREED;
    guarded_place_give_back(guarded, place);
    heap->layer_used_bytes -= record->size_bytes;
    guarded->live_count--;
    heap_counters_free(heap->outer_counters, 1, record->size_bytes);
}

void guarded_block_shrink(struct heap *heap, struct guarded_record *record, size_t size_bytes)
{
    struct guarded *guarded = guarded_of(heap);
    uintptr_t old_end = guarded_pages_end(record->block, record->size_bytes);
    uintptr_t new_end = guarded_pages_end(record->block, size_bytes);
    if (new_end < old_end)
        guarded_take_back(guarded, new_end, old_end - new_end);
    heap->layer_used_bytes -= record->size_bytes - size_bytes;
    heap_counters_resize(heap->outer_counters, record->size_bytes, size_bytes);
    record->size_bytes = size_bytes;
    guarded_canary_lay_behind(guarded, record);
}

/* --- Validating pointers ---------------------------------------------------------------------- */

static void describe_pointer(const struct guarded_record *record, const void *pointer,
                             struct heap_fault *fault)
{
    fault->block = (const void *)record->block;
    fault->size_bytes = record->size_bytes;
    fault->allocated_by = record->allocated_by;
    if (record->life == GUARDED_LIVE) {
        fault->detail = "the pointer is not the start of a block";
        return;
    }
    fault->kind = HEAP_FAULT_DOUBLE_FREE;
    fault->is_free = true;
    fault->freed_by = record->freed_by;
    fault->detail = fault->block == pointer ? "the block is already free"
                                            : "the pointer is into memory that was freed";
}

bool guarded_block_validate(struct heap *heap, const void *pointer, struct guarded_place *ret_place)
{
    const struct guarded *guarded = guarded_of(heap);
    struct heap_fault fault = {.kind = HEAP_FAULT_BAD_POINTER,
                               .detail = "no block was ever at the pointer",
                               .pointer = pointer};
    if (guarded_place_find(guarded, (uintptr_t)pointer, ret_place) && ret_place->record != NULL) {
        const struct guarded_record *record = ret_place->record;
        describe_pointer(record, pointer, &fault);
        if (record->life == GUARDED_LIVE && record->block == (uintptr_t)pointer) {
            fault.kind = HEAP_FAULT_OVERRUN;
            fault.detail = guarded_canary_broken_side(guarded, record);
            if (fault.detail == NULL)
                return true;
        }
    }
    return heap_fault_record_final(heap, &fault);
}
