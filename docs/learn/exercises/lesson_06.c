/* Lesson 6: out of memory. This is your file: edit it, then run `make lesson N=6`. */
#include "lessons/lesson_06.h"

/* As in lesson 5. It is right as long as the result fits into 64 bits. Here it does not always. */
static uint64_t round_up(uint64_t number, uint64_t alignment)
{
    uint64_t mask = alignment - 1;
    return (number + mask) & ~mask;
}

/* As in lesson 5, and nothing has been refused yet. It is complete. */
static void begin(struct counting_heap *heap, void *memory, uint64_t size_bytes)
{
    heap->heap_start = memory;
    heap->heap_end = heap->heap_start + size_bytes;
    heap->free = heap->heap_start;
    heap->refused_count = 0;
}

/* As in lesson 5: return the first address at or behind heap->free that is a multiple of
 * `alignment_bytes`, and move heap->free behind the block.
 *
 * New: a block fits if its end, address + size_bytes, is not behind heap->heap_end. If the block
 * does not fit, return NULL, add 1 to heap->refused_count, and change nothing else. `size_bytes` is
 * any number from 1 to 2^64 - 1. `alignment_bytes` is a power of two, up to 2^63. Only compute: read
 * and write no byte of the heap. */
static void *allocate(struct counting_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
{
    /* This is lesson 5: it never says no. Change it. */
    uint8_t *block = (uint8_t *)round_up((uint64_t)heap->free, alignment_bytes);
    heap->free = block + size_bytes;
    return block;
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_06 lesson_06 = {begin, allocate};
