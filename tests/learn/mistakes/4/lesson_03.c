/* wrong: is_inside(heap, heap_start + 2^32) returned true. It must be false */
#include "lessons/lesson_03.h"

static void begin(struct bump_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
}

static uint64_t used_bytes(const struct bump_heap *heap)
{
    return (uint64_t)(heap->free - heap->heap_start);
}

static uint64_t free_bytes(const struct bump_heap *heap)
{
    return (uint64_t)(heap->heap_end - heap->free);
}

/* The upper halves of the addresses are lost. */
static bool is_between(const void *address, const void *start, const void *end)
{
    uint32_t number = (uint32_t)(uintptr_t)address;
    return number >= (uint32_t)(uintptr_t)start && number < (uint32_t)(uintptr_t)end;
}

static bool is_inside(const struct bump_heap *heap, const void *address)
{
    return is_between(address, heap->heap_start, heap->heap_end);
}

static bool is_in_use(const struct bump_heap *heap, const void *address)
{
    return is_between(address, heap->heap_start, heap->free);
}

static void take(struct bump_heap *heap, uint64_t size_bytes)
{
    heap->free += size_bytes;
}

const struct lesson_03 lesson_03 = {begin, used_bytes, free_bytes, is_inside, is_in_use, take};
