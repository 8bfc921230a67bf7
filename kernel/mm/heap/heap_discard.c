#include "kernel/mm/heap/heap_discard.h"

#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policy.h"

/* --- When ------------------------------------------------------------------------------------- */

bool heap_discard_is_due(struct heap *heap, size_t freed_bytes)
{
    size_t wait_bytes = heap->discard_wait_bytes;
    if (!heap_discard_is_possible(heap) || freed_bytes < wait_bytes)
        return false;
    heap->discard_wait_bytes = larger(wait_bytes - wait_bytes / 8, HEAP_DISCARD_WAIT_BYTES);
    return true;
}

/* --- Pages ------------------------------------------------------------------------------------ */

static size_t offset_of(const struct heap *heap, const uint8_t *address)
{
    return (size_t)(address - heap->base);
}

void heap_discard_pages(struct heap *heap, const uint8_t *start, size_t bytes)
{
    heap->pages.discard(heap->pages.context, offset_of(heap, start), bytes);
}

bool heap_discard_restore(struct heap *heap, const uint8_t *start, size_t bytes)
{
    if (heap->pages.restore != NULL &&
        !heap->pages.restore(heap->pages.context, offset_of(heap, start), bytes))
        return false;
    heap->discard_wait_bytes =
        smaller(heap->discard_wait_bytes + 2 * bytes, larger(heap->limit_bytes, bytes));
    return true;
}

/* --- All of them ------------------------------------------------------------------------------ */

static void discard_piece(void *context, const struct heap_piece *piece)
{
    struct heap *heap = context;
    if (piece->kind != HEAP_PIECE_FREE || piece->extent_bytes <= 2 * HEAP_MARGIN_BYTES)
        return;
    uintptr_t start = (uintptr_t)piece->start + HEAP_MARGIN_BYTES;
    uintptr_t end = (uintptr_t)piece->start + piece->extent_bytes - HEAP_MARGIN_BYTES;
    end = smaller(end, heap->written_end); /* heap_allocate_zeroed() relies on zeros behind it */
    start += -start % HEAP_PAGE_SIZE_BYTES;
    end -= end % HEAP_PAGE_SIZE_BYTES;
    if (start < end)
        heap_discard_pages(heap, (const uint8_t *)start, end - start);
}

/* Discard the pages of pieces that stay ordinary free memory: they must stay usable. */
static void discard_usable(struct heap *heap)
{
    if (heap->functions->walk_free != NULL)
        heap->functions->walk_free(heap, HEAP_PAGE_SIZE_BYTES + 2 * HEAP_MARGIN_BYTES,
                                   discard_piece, heap);
    else
        heap->functions->walk(heap, discard_piece, heap);
}

void heap_discard_free_pages(struct heap *heap)
{
    if (!heap_discard_is_possible(heap))
        return;
    if (heap->functions->discard != NULL)
        heap->functions->discard(heap);
    if (heap->pages.restore == NULL && !heap->is_corrupt)
        discard_usable(heap);
}
