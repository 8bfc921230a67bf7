/* wrong: your code used a pointer whose value is no address, and the machine stopped it */
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
    *(volatile uint8_t *)(uintptr_t)0x5a5a5a5a5a5a5a5a = 1;
    return block;
}

const struct lesson_04 lesson_04 = {begin, allocate};
