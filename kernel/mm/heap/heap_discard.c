/* The pages inside of free memory, which heap_trim() offers to the page source. */
#include "kernel/mm/heap/layers/layer.h"
#include "kernel/mm/heap/policy.h"

static void discard_piece(void *context, const struct heap_piece *piece)
{
    const struct heap *heap = context;
    const struct heap_page_source *pages = &heap->configuration.pages;
    if (piece->kind != HEAP_PIECE_FREE || piece->extent_bytes <= 2 * HEAP_MARGIN_BYTES)
        return;
    uintptr_t start = (uintptr_t)piece->start + HEAP_MARGIN_BYTES;
    uintptr_t end = (uintptr_t)piece->start + piece->extent_bytes - HEAP_MARGIN_BYTES;
    end = smaller(end, heap->written_end); /* behind it, heap_allocate_zeroed() counts on zeros */
    start += -start % HEAP_PAGE_SIZE_BYTES;
    end -= end % HEAP_PAGE_SIZE_BYTES;
    if (start < end)
        pages->discard(pages->context, start - (uintptr_t)heap->configuration.base, end - start);
}

void heap_discard_free_pages(struct heap *heap)
{
    const struct heap_policy *policy = heap->configuration.policy;
    if (heap->configuration.pages.discard == NULL || heap->is_corrupt)
        return;
    if (policy->walk_free != NULL)
        policy->walk_free(heap, HEAP_PAGE_SIZE_BYTES + 2 * HEAP_MARGIN_BYTES, discard_piece, heap);
    else
        heap_walk_below(heap, discard_piece, heap);
}
