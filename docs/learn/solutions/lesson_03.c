/* Lesson 3: what a heap is. A solution. */
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

/* The addresses are compared as numbers: C defines `<` only for pointers into one array. */
static bool is_between(const void *address, const void *start, const void *end)
{
    return (uintptr_t)address >= (uintptr_t)start && (uintptr_t)address < (uintptr_t)end;
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
