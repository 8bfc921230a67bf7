/* wrong: your code wrote to heap_end + 0, and the machine stopped it, during allocate(16) */
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
    heap->free += size_bytes;
    *(volatile uint8_t *)heap->heap_end = 1;
    return block;
}

const struct lesson_04 lesson_04 = {begin, allocate};
