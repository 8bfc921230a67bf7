/* wrong: allocate(16) returned heap_start + 16. The block must begin at heap_start + 0 */
/* It moves free first, and returns where free is then. */
#include "lessons/lesson_04.h"

static void begin(struct bump_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
}

static void *allocate(struct bump_heap *heap, uint64_t size_bytes)
{
    heap->free = heap->free + size_bytes;
    return heap->free;
}

const struct lesson_04 lesson_04 = {begin, allocate};
