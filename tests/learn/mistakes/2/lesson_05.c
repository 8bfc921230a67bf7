/* wrong: round_up(8, 8) returned 16. It must be 8 */
/* It moves a number that is a multiple already. */
#include "lessons/lesson_05.h"

static uint64_t round_up(uint64_t number, uint64_t alignment)
{
    return number + (alignment - number % alignment);
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
    heap->free = block + size_bytes;
    return block;
}

const struct lesson_05 lesson_05 = {round_up, begin, allocate};
