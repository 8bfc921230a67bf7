/* wrong: your code wrote to 0x */
#include "lessons/lesson_04.h"

static void begin(struct bump_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
}

static const uint8_t constant[16] = {1, 2, 3};

static void *allocate(struct bump_heap *heap, uint64_t size_bytes)
{
    uint8_t *block = heap->free;
    heap->free += size_bytes;
    *(volatile uint8_t *)(uintptr_t)constant = 1;
    block += constant[0] - 1;
    return block;
}

const struct lesson_04 lesson_04 = {begin, allocate};
