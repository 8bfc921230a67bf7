#include "kernel/mm/heap/policies/fast_own.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policies/fast_recent.h"

void *fast_own_take(struct heap *heap, enum fast_own kind, const struct heap_request *request,
                    bool may_grow)
{
    size_t units = fast_units_for(request->size_bytes);
    size_t alignment_bytes = request->alignment_bytes;
    uint64_t header;
    uint8_t *block = fast_core_take_aligned(heap, units, alignment_bytes, &header);
    if (block == NULL && may_grow && !heap->is_corrupt && fast_recent_flush(heap))
        block = fast_core_take_aligned(heap, units, alignment_bytes, &header);
    if (block == NULL && may_grow && !heap->is_corrupt && heap_end_grow_for(heap, request))
        block = fast_core_take_aligned(heap, units, alignment_bytes, &header);
    if (block == NULL)
        return NULL;
    header = sealed_header(sealed_units(header), SEALED_OWN) | (header & SEALED_PREVIOUS_FREE) |
             (uint64_t)kind << SEALED_ALIGNMENT_SHIFT;
    sealed_write_header(fast_of(heap)->core.secret, block, header);
    return block;
}

void fast_own_release(struct heap *heap, void *block)
{
    uint64_t header;
    if (heap->is_corrupt)
        return;
    heap_zero_set_dirty(heap);
    if (!sealed_read_header(fast_of(heap)->core.secret, block, &header))
        (void)sealed_record_corrupt(heap, block);
    else
        (void)fast_core_release(heap, block, header);
}
