/* wrong: wrote to heap_start + 0. It may only compute */
#include "lessons/lesson_04.h"

static void begin(struct bump_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
}

static void *allocate(struct bump_heap *heap, uint64_t size_bytes)
{
    uint8_t *block = heap->free;
    for (uint64_t i = 0; i < size_bytes; i++)
        block[i] = 0;
    heap->free = block + size_bytes;
    return block;
}

const struct lesson_04 lesson_04 = {begin, allocate};
