#include "kernel/mm/heap/policies/best_fit_fault.h"

#include "kernel/mm/heap/heap_fault.h"

bool best_fit_fault_record(struct heap *heap, enum heap_fault_kind kind,
                           const struct best_fit_segment *segment, const void *pointer,
                           const char *detail)
{
    struct heap_fault fault = {.kind = kind, .detail = detail, .pointer = pointer};
    if (segment != NULL) {
        bool is_free = segment->state == BEST_FIT_FREE;
        fault.block = best_fit_payload_of(segment);
        fault.is_free = is_free;
        fault.size_bytes = is_free ? 0 : best_fit_asked_bytes(segment);
        fault.free_bytes = is_free ? best_fit_payload_bytes(segment) : 0;
        fault.allocated_by = is_free ? NULL : segment->allocated_by;
    }
    return heap_fault_record(heap, &fault);
}

bool best_fit_fault_record_double_free(struct heap *heap, const struct best_fit_segment *segment,
                                       const void *pointer)
{
    const struct best_fit_segment *freed = best_fit_segment_of(pointer);
    if ((uintptr_t)pointer % BEST_FIT_UNIT_BYTES != 0 || !best_fit_is_sound(heap, freed) ||
        (freed != segment && freed->state != BEST_FIT_TOMBSTONE) || !best_fit_was_block(freed))
        return best_fit_fault_record(heap, HEAP_FAULT_DOUBLE_FREE, segment, pointer,
                                     "the pointer is into memory that was freed");
    const struct heap_fault fault = {
        .kind = HEAP_FAULT_DOUBLE_FREE,
        .detail = "the block is already free",
        .pointer = pointer,
        .block = pointer,
        .is_free = true,
        .size_bytes = best_fit_asked_bytes(freed),
        .allocated_by = freed->allocated_by,
    };
    return heap_fault_record(heap, &fault);
}

bool best_fit_fault_record_bad_pointer(struct heap *heap, const void *block)
{
    uintptr_t address = (uintptr_t)block;
    struct best_fit_segment *segment = best_fit_of(heap)->first;
    while (best_fit_is_sound(heap, segment) &&
           address >= (uintptr_t)best_fit_payload_of(best_fit_next_of(segment)))
        segment = best_fit_next_of(segment);

    if (!best_fit_is_sound(heap, segment) && best_fit_payload_of(segment) == block) {
        const struct heap_fault fault = {.kind = HEAP_FAULT_OVERRUN,
                                         .detail = "the header before the block was overwritten",
                                         .pointer = block,
                                         .block = block};
        return heap_fault_record(heap, &fault);
    }
    if (!best_fit_is_sound(heap, segment))
        return best_fit_fault_record(heap, HEAP_FAULT_CORRUPT, NULL, block,
                                     "a header at a lower address was overwritten");
    if (segment->state == BEST_FIT_FREE && address < (uintptr_t)best_fit_next_of(segment))
        return best_fit_fault_record_double_free(heap, segment, block);
    return best_fit_fault_record(heap, HEAP_FAULT_BAD_POINTER, segment, block,
                                 "the pointer is not the start of a block");
}
