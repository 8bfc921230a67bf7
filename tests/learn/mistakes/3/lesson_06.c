/* wrong: allocate(17, 16) returned heap_start + 32. The request does not fit: only 23 bytes are left */
/* It forgets that the gap takes room, too. */
#include "lessons/lesson_06.h"

static uint64_t round_up(uint64_t number, uint64_t alignment)
{
    uint64_t mask = alignment - 1;
    return (number + mask) & ~mask;
}

static void begin(struct counting_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
    heap->refused_count = 0;
}

static void *allocate(struct counting_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
{
    if (size_bytes > (uint64_t)(heap->heap_end - heap->free)) {
        heap->refused_count++;
        return NULL;
    }
    uint8_t *block = (uint8_t *)round_up((uint64_t)heap->free, alignment_bytes);
    heap->free = block + size_bytes;
    return block;
}

const struct lesson_06 lesson_06 = {begin, allocate};
