#include "kernel/mm/heap/policies/fast_own.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policies/fast_recent.h"

/* The usual alignment has a shorter search. */
static uint8_t *take(struct heap *heap, const struct heap_request *request, uint64_t *ret_header)
{
    size_t units = fast_units_for(request->size_bytes);
    if (request->alignment_bytes != SEALED_UNIT_BYTES)
        return fast_core_take_aligned(heap, units, request->alignment_bytes, ret_header);
    struct fast_taken taken = fast_core_take(heap, units);
    *ret_header = sealed_header(taken.units, SEALED_LIVE);
    return taken.block;
}

uint8_t *fast_own_take_more(struct heap *heap, const struct heap_request *request,
                            uint64_t *ret_header)
{
    uint8_t *block = NULL;
    if (!heap->is_corrupt && fast_recent_release(heap))
        block = take(heap, request, ret_header);
    if (block == NULL && !heap->is_corrupt && heap_end_grow_for(heap, request))
        block = take(heap, request, ret_header);
    return block;
}

void *fast_own_take(struct heap *heap, enum fast_own kind, const struct heap_request *request,
                    bool may_grow)
{
    uint64_t header;
    uint8_t *block = take(heap, request, &header);
    if (block == NULL && may_grow)
        block = fast_own_take_more(heap, request, &header);
    if (block == NULL)
        return NULL;
    fast_own_write_header(heap, kind, block, header);
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
