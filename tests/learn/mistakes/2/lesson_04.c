/* wrong: after allocate(16), heap->free is heap_start + 128. It must be heap_start + 16 */
/* Its pointer moves by elements of 8 bytes. */
#include "lessons/lesson_04.h"

static void begin(struct bump_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
}

static void *allocate(struct bump_heap *heap, uint64_t size_bytes)
{
    uint64_t *block = (uint64_t *)heap->free;
    heap->free = (uint8_t *)(block + size_bytes);
    return block;
}

const struct lesson_04 lesson_04 = {begin, allocate};
