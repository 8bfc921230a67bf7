/* wrong: after allocate(3, 4), heap->free is heap_start + 4. It must be heap_start + 6 */
/* It forgets the gap when it moves free. */
#include "lessons/lesson_05.h"

static uint64_t round_up(uint64_t number, uint64_t alignment)
{
    uint64_t mask = alignment - 1;
    return (number + mask) & ~mask;
}

static void begin(struct bump_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
}

static void *allocate(struct bump_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
{
    uint8_t *block = (uint8_t *)round_up((uint64_t)heap->free, alignment_bytes);
    heap->free = heap->free + size_bytes;
    return block;
}

const struct lesson_05 lesson_05 = {round_up, begin, allocate};
