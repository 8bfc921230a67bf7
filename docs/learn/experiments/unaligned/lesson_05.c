/* Lesson 5: an experiment. This heap writes the size of each block to where `free` was before. */
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
    uint64_t address = round_up((uint64_t)heap->free, alignment_bytes);
    uint8_t *block = (uint8_t *)address;
    if (size_bytes >= sizeof(uint64_t))
        *(uint64_t *)heap->free = size_bytes;
    heap->free = block + size_bytes;
    return block;
}

const struct lesson_05 lesson_05 = {round_up, begin, allocate};
