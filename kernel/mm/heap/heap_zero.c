#include "kernel/mm/heap/heap_zero.h"

#include "kernel/mm/heap/layer.h"
#include "kernel/mm/heap/policy.h"
#include "shared/memory.h"

static uintptr_t end_of(const struct heap *heap)
{
    return (uintptr_t)heap->base + heap->size_bytes;
}

/* Wipe the policy's words at the old end if they now lie inside of free memory, so that one
 * boundary is enough. */
void heap_zero_extend(struct heap *heap, uintptr_t old_end, size_t fresh_bytes)
{
    uintptr_t fresh_start = end_of(heap) - smaller(fresh_bytes, heap->size_bytes);
    bool is_all_fresh = fresh_start <= old_end;
    if (is_all_fresh && heap->written_end <= old_end - HEAP_MARGIN_BYTES) {
        uintptr_t tail_start = end_of(heap) - heap->functions->free_tail(heap);
        if (tail_start <= old_end - 2 * HEAP_MARGIN_BYTES) {
            memset((void *)(old_end - HEAP_MARGIN_BYTES), 0, 2 * HEAP_MARGIN_BYTES);
            return;
        }
    }
    uintptr_t unknown_end = larger(fresh_start, old_end + HEAP_MARGIN_BYTES);
    heap->written_end = larger(heap->written_end, unknown_end);
}

void heap_zero_cut(struct heap *heap)
{
    heap->written_end = smaller(heap->written_end, end_of(heap));
}

/* Return how many bytes at the start of a new block may not be zero. */
static size_t dirty_bytes(const struct heap *heap, const void *block, size_t size_bytes)
{
    uintptr_t start = (uintptr_t)block;
    return smaller(size_bytes, heap->clean_start - smaller(start, heap->clean_start));
}

static void zero(const struct heap *heap, uint8_t *block, size_t size_bytes)
{
    memset(block, 0, dirty_bytes(heap, block, size_bytes));
    for (size_t place = 0; place < HEAP_LAYER_COUNT; place++) {
        const struct heap_layer *layer = heap->layers[place];
        if (layer != NULL && layer->functions->zero != NULL)
            layer->functions->zero(block, size_bytes);
    }
}

void *heap_allocate_zeroed(struct heap *heap, size_t count, size_t element_bytes,
                           const void *caller)
{
    if (element_bytes != 0 && count > SIZE_MAX / element_bytes) {
        heap->outer_counters->failure_count++;
        return NULL;
    }
    heap_zero_set_dirty(heap);
    void *block = heap_allocate(heap, count * element_bytes, caller);
    if (block != NULL)
        zero(heap, block, count * element_bytes);
    return block;
}
