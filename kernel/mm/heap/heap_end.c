#include "kernel/mm/heap/heap_end.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/heap_zero.h"

/* The heap grows by at least this much, so a series of small blocks does not call the page source
 * for each page. A large heap grows by this part of its size, up to a limit. */
#define GROW_STEP_BYTES     HEAP_END_KEEP_BYTES
#define GROW_STEP_PART      16
#define GROW_STEP_MAX_BYTES ((size_t)1024 * 1024)

/* A heap that grows into memory that it gave back keeps more memory free at its end afterwards. So
 * a program that allocates and frees one large block again and again does not map and unmap pages
 * each time. It keeps at most KEEP_MAX_BYTES, and at most this part of its limit. It gives memory
 * back only if twice the kept amount is free. */
#define KEEP_MAX_BYTES ((size_t)1024 * 1024)
#define KEEP_PART      16

static size_t round_down(size_t value, size_t unit)
{
    return value - value % unit;
}

/* Precondition: value + unit does not wrap. */
static size_t round_up(size_t value, size_t unit)
{
    return round_down(value + unit - 1, unit);
}

bool heap_end_start(const struct heap_configuration *configuration, size_t *ret_bytes)
{
    const struct heap_page_source *pages = &configuration->pages;
    *ret_bytes = smaller(GROW_STEP_BYTES, configuration->limit_bytes);
    return pages->grow(pages->context, *ret_bytes);
}

size_t heap_end_fresh_bytes(const struct heap_page_source *pages)
{
    return pages->fresh_bytes == NULL ? 0 : pages->fresh_bytes(pages->context);
}

/* --- Up --------------------------------------------------------------------------------------- */

/* Move the end up. Afterwards the last `fresh_bytes` of the heap read as zero. */
static enum heap_status extend(struct heap *heap, size_t additional_bytes, size_t fresh_bytes)
{
    if (additional_bytes % HEAP_ALIGNMENT_BYTES != 0)
        return HEAP_UNALIGNED;
    if (additional_bytes < heap->functions->minimum_extend_bytes)
        return HEAP_TOO_SMALL;
    if (additional_bytes > heap->limit_bytes - heap->size_bytes)
        return HEAP_TOO_LARGE;
    if (heap->is_corrupt || !heap->functions->extend(heap, additional_bytes))
        return HEAP_NO_MEMORY;
    uintptr_t old_end = (uintptr_t)heap->base + heap->size_bytes;
    heap->size_bytes += additional_bytes;
    heap_zero_extend(heap, old_end, fresh_bytes);
    return HEAP_OK;
}

enum heap_status heap_extend(struct heap *heap, size_t additional_bytes)
{
    enum heap_status status = extend(heap, additional_bytes, 0);
    heap_fault_report(heap, NULL);
    return status;
}

static bool grow_by(struct heap *heap, size_t bytes)
{
    return heap->pages.grow(heap->pages.context, bytes) &&
           extend(heap, bytes, heap_end_fresh_bytes(&heap->pages)) == HEAP_OK;
}

/* Keep memory the next time if the heap gave it back and then needed it again. */
static void keep_more(struct heap *heap, size_t needed_bytes)
{
    if (heap->size_bytes >= heap->largest_bytes)
        return;
    size_t most_bytes = smaller(KEEP_MAX_BYTES, heap->limit_bytes / KEEP_PART);
    size_t keep_bytes = smaller(larger(2 * heap->tail_keep_bytes, needed_bytes), most_bytes);
    heap->tail_keep_bytes = larger(keep_bytes, heap->tail_keep_bytes);
    heap->has_grown_again = true;
}

static size_t grow_step(const struct heap *heap)
{
    size_t part_bytes = round_down(heap->size_bytes / GROW_STEP_PART, HEAP_PAGE_SIZE_BYTES);
    return smaller(larger(part_bytes, GROW_STEP_BYTES), GROW_STEP_MAX_BYTES);
}

static bool can_grow(const struct heap *heap)
{
    return !heap->is_corrupt && heap->pages.grow != NULL;
}

bool heap_end_grow_by(struct heap *heap, size_t least_bytes)
{
    if (!can_grow(heap))
        return false;

    size_t needed_bytes = larger(round_up(least_bytes, HEAP_PAGE_SIZE_BYTES), HEAP_PAGE_SIZE_BYTES);
    size_t room_bytes = heap->limit_bytes - heap->size_bytes;
    if (needed_bytes > room_bytes)
        return false;
    keep_more(heap, needed_bytes);
    size_t step_bytes = smaller(larger(needed_bytes, grow_step(heap)), room_bytes);
    return grow_by(heap, step_bytes) || (step_bytes > needed_bytes && grow_by(heap, needed_bytes));
}

bool heap_end_grow_for(struct heap *heap, const struct heap_request *request)
{
    if (heap->functions->restore != NULL && heap->functions->restore(heap, request))
        return true;
    if (!can_grow(heap))
        return false;
    size_t needed_bytes =
        request->size_bytes + request->alignment_bytes + heap->functions->block_overhead_bytes;
    size_t tail_bytes = heap->functions->free_tail(heap);
    return heap_end_grow_by(heap, needed_bytes - smaller(needed_bytes, tail_bytes));
}

/* --- Down ------------------------------------------------------------------------------------- */

void heap_end_move_down(struct heap *heap, size_t bytes)
{
    heap->largest_bytes = heap->size_bytes;
    heap->size_bytes -= bytes;
    heap_zero_cut(heap);
    heap->pages.shrink(heap->pages.context, bytes);
}

/* Return how many bytes at the end are free, from the first page of absent memory on. 0 if the free
 * memory at the end has no absent memory before it. */
static size_t absent_end(const struct heap *heap)
{
    size_t absent_bytes =
        heap->functions->absent_tail == NULL ? 0 : heap->functions->absent_tail(heap);
    return absent_bytes == 0 ? 0 : absent_bytes + heap->functions->free_tail(heap);
}

static void give_back(struct heap *heap)
{
    size_t bytes = absent_end(heap);
    size_t tail_bytes = heap->functions->free_tail(heap);
    if (bytes == 0 && tail_bytes < 2 * heap->tail_keep_bytes)
        return;
    if (bytes == 0)
        bytes = round_down(tail_bytes - heap->tail_keep_bytes, HEAP_PAGE_SIZE_BYTES);
    heap->functions->cut(heap, bytes);
    if (!heap->has_grown_again)
        heap->tail_keep_bytes = larger(heap->tail_keep_bytes / 2, HEAP_END_KEEP_BYTES);
    heap->has_grown_again = false;
    heap_end_move_down(heap, bytes);
}

/* Without the absent memory at the end, other absent memory may be there. */
void heap_end_give_back(struct heap *heap)
{
    if (heap->pages.shrink == NULL || heap->is_corrupt)
        return;
    give_back(heap);
    while (!heap->is_corrupt && absent_end(heap) != 0)
        give_back(heap);
}
