#include "kernel/mm/heap/heap_discard.h"

#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policy.h"

static void discard_piece(void *context, const struct heap_piece *piece)
{
    const struct heap *heap = context;
    if (piece->kind != HEAP_PIECE_FREE || piece->extent_bytes <= 2 * HEAP_MARGIN_BYTES)
        return;
    uintptr_t start = (uintptr_t)piece->start + HEAP_MARGIN_BYTES;
    uintptr_t end = (uintptr_t)piece->start + piece->extent_bytes - HEAP_MARGIN_BYTES;
    end = smaller(end, heap->written_end); /* heap_allocate_zeroed() relies on zeros behind it */
    start += -start % HEAP_PAGE_SIZE_BYTES;
    end -= end % HEAP_PAGE_SIZE_BYTES;
    if (start < end)
        heap->pages.discard(heap->pages.context, start - (uintptr_t)heap->base, end - start);
}

void heap_discard_free_pages(struct heap *heap)
{
    if (heap->pages.discard == NULL || heap->is_corrupt)
        return;
    if (heap->functions->walk_free != NULL)
        heap->functions->walk_free(heap, HEAP_PAGE_SIZE_BYTES + 2 * HEAP_MARGIN_BYTES,
                                   discard_piece, heap);
    else
        heap->functions->walk(heap, discard_piece, heap);
}
