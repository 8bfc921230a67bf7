#include "kernel/mm/heap/policies/fast_block.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_dissolve.h"
#include "kernel/mm/heap/policies/fast_validate.h"

/* --- Allocation ------------------------------------------------------------------------------- */

static void count_blocks(struct fast_state *fast, size_t size_bytes, size_t change)
{
    if (size_bytes <= FAST_PADDED_MAX)
        fast->classes[size_bytes / 16].core_count += change;
}

static uint8_t *take(struct heap *heap, const struct heap_request *request, uint64_t *ret_header)
{
    if (heap->is_corrupt)
        return NULL;
    return fast_core_take(heap, fast_units_for(request->size_bytes), request->alignment_bytes,
                          ret_header);
}

/* Return a block of the core; the heap does not grow for it. */
static uint8_t *take_block(struct heap *heap, const struct heap_request *request,
                           uint64_t *ret_header)
{
    uint8_t *block = take(heap, request, ret_header);
    while (block == NULL && !heap->is_corrupt && fast_slab_flush_one(heap))
        block = take(heap, request, ret_header);
    return block;
}

static void *give_block(struct heap *heap, uint8_t *block, const struct heap_request *request,
                        uint64_t header)
{
    sealed_make_live(fast_of(heap)->core.secret, block, header, request->size_bytes);
    count_blocks(fast_of(heap), request->size_bytes, 1);
    heap_count_allocation(heap, request->size_bytes);
    return block;
}

/* Return a slot of the class, which may be longer than the size needs. NULL if the class has no
 * free slot. */
static void *allocate_slot_of(struct heap *heap, struct fast_class *size_class, size_t size_bytes)
{
    unsigned index = 0;
    struct fast_slab **current = fast_class_current(fast_of(heap), size_class);
    if (!fast_class_has_slot(*current) && !fast_class_refill(fast_of(heap), size_class))
        return NULL;
    uint8_t *slot = fast_class_take_slot(*current);
    (void)fast_slot_find(*current, slot, &index);
    fast_slot_set_size(fast_of(heap), *current, index, size_bytes);
    heap_count_allocation(heap, size_bytes);
    return slot;
}

/* Return the shortest free slot that has room. Its length is from `first` to `last` times 16 bytes.
 * NULL if no such slot is free. */
static void *allocate_any_slot(struct heap *heap, size_t size_bytes, size_t first, size_t last)
{
    struct fast_class *classes = fast_of(heap)->classes;
    for (size_t units = first; units <= last; units++) {
        void *slot = NULL;
        if (units != 0 && units <= FAST_DENSE_CLASSES && size_bytes <= units * 16)
            slot = allocate_slot_of(heap, &classes[FAST_PADDED_CLASSES + units - 1], size_bytes);
        if (slot == NULL && size_bytes < units * 16)
            slot = allocate_slot_of(heap, &classes[units - 1], size_bytes);
        if (slot != NULL)
            return slot;
    }
    return NULL;
}

/* True if a slot can have room and alignment for the request. */
static bool fits_slot(const struct heap_request *request)
{
    return request->size_bytes <= FAST_PADDED_MAX && request->alignment_bytes == SEALED_UNIT_BYTES;
}

/* Return a slot of the request's usual length, or a little longer. */
static void *find_near_slot(struct heap *heap, const struct heap_request *request)
{
    size_t first = request->size_bytes / 16;
    if (heap->is_corrupt || !fits_slot(request))
        return NULL;
    return allocate_any_slot(heap, request->size_bytes, first, first + 1);
}

static void *find_longer_slot(struct heap *heap, const struct heap_request *request)
{
    size_t first = request->size_bytes / 16 + 2;
    if (heap->is_corrupt || !fits_slot(request))
        return NULL;
    return allocate_any_slot(heap, request->size_bytes, first, FAST_PADDED_CLASSES);
}

/* Before the heap grows, the request gets free memory: from the core, then a slot of the other kind
 * of slab for this size, then absent memory. Before the request fails, it gets a slot of any size
 * with enough room. */
static void *find_room(struct heap *heap, const struct heap_request *request)
{
    uint64_t header;
    if (heap->is_corrupt || request->size_bytes >= heap->limit_bytes ||
        request->alignment_bytes >= heap->limit_bytes - request->size_bytes)
        return NULL;
    uint8_t *block = take_block(heap, request, &header);
    if (block == NULL) {
        void *slot = find_near_slot(heap, request);
        if (slot != NULL)
            return slot;
        if (heap_end_grow_for(heap, request))
            block = take(heap, request, &header);
    }
    if (block != NULL)
        return give_block(heap, block, request, header);
    return find_longer_slot(heap, request);
}

void *fast_block_allocate(struct heap *heap, size_t size_bytes, const void *caller,
                          size_t alignment_bytes)
{
    const struct heap_request request = {.size_bytes = size_bytes,
                                         .alignment_bytes = alignment_bytes};
    void *block = find_room(heap, &request);
    if (block == NULL)
        heap->counters.failure_count++;
    fast_dissolve_step(heap);
    heap_fault_report(heap, caller);
    return heap->is_corrupt ? NULL : block;
}

/* --- Free ------------------------------------------------------------------------------------- */

bool fast_block_free(struct heap *heap, uint8_t *block)
{
    uint64_t header = 0;
    if (!fast_validate_block(heap, block, &header))
        return false;
    size_t size_bytes = sealed_size(header);
    heap_count_free(heap, size_bytes);
    count_blocks(fast_of(heap), size_bytes, SIZE_MAX);
    sealed_write_tombstone(block, sealed_header_word(block));
    if (!fast_core_release(heap, block, header))
        return false;
    heap_end_give_back(heap);
    fast_absent_discard_surplus(heap);
    return !heap->is_corrupt;
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

bool fast_block_resize(struct heap *heap, uint8_t *block, uint64_t header, size_t size_bytes)
{
    size_t old_bytes = sealed_size(header);
    size_t units = fast_units_for(size_bytes);
    bool done = units > sealed_units(header) ? fast_core_expand(heap, block, units, &header)
                                             : fast_core_shrink(heap, block, units, &header);
    if (!done)
        return false;
    sealed_make_live(fast_of(heap)->core.secret, block, header, size_bytes);
    count_blocks(fast_of(heap), old_bytes, SIZE_MAX);
    count_blocks(fast_of(heap), size_bytes, 1);
    return true;
}
