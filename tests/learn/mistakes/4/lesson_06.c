/* wrong: allocate(1, 2^63) returned NULL, but */
#include "lessons/lesson_06.h"

static void begin(struct counting_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
    heap->refused_count = 0;
}

/* Return how many bytes lie between `free` and the next multiple of the alignment. The number is
 * always smaller than the alignment, so nothing here can overflow. */
static uint64_t gap_bytes_before(const uint8_t *free, uint64_t alignment_bytes)
{
    uint64_t mask = alignment_bytes - 1;
    uint64_t beyond_bytes = (uint64_t)free & mask;
    return beyond_bytes == 0 ? 0 : alignment_bytes - beyond_bytes;
}

static void *refuse(struct counting_heap *heap)
{
    heap->refused_count++;
    return NULL;
}

static void *allocate(struct counting_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
{
    uint64_t left_bytes = (uint64_t)(heap->heap_end - heap->free);
    uint64_t gap_bytes = gap_bytes_before(heap->free, alignment_bytes);
    if (gap_bytes > left_bytes || alignment_bytes > 4096)
        return refuse(heap);
    if (size_bytes > left_bytes - gap_bytes)
        return refuse(heap);
    uint8_t *block = heap->free + gap_bytes;
    heap->free = block + size_bytes;
    return block;
}

const struct lesson_06 lesson_06 = {begin, allocate};
