/* wrong: allocate(2^64 - 1, 1) returned heap_start + 25. The request does not fit: only 23 bytes are left */
/* It adds before it compares, and the sum wraps. */
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
    uint64_t block = round_up((uint64_t)heap->free, alignment_bytes);
    if (block + size_bytes > (uint64_t)heap->heap_end) {
        heap->refused_count++;
        return NULL;
    }
    heap->free = (uint8_t *)(block + size_bytes);
    return (void *)block;
}

const struct lesson_06 lesson_06 = {begin, allocate};
