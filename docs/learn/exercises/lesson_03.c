/* Lesson 3: what a heap is. This is your file: edit it, then run `make lesson N=3`.
 *
 * lessons/bump_heap.h has the struct. Write nothing into the heap's memory: only its three
 * addresses change. */
#include "lessons/lesson_03.h"

/* The heap gets `size_bytes` bytes of memory that begin at `memory`. Nothing is in use yet. Set its
 * three addresses. */
static void begin(struct bump_heap *heap, void *memory, uint64_t size_bytes)
{
    (void)heap, (void)memory, (void)size_bytes; /* Your code, in place of this line. */
}

/* Return the number of bytes that are in use: those from heap_start up to free. */
static uint64_t used_bytes(const struct bump_heap *heap)
{
    (void)heap; /* Your code, in place of these two lines. */
    return 0;
}

/* Return the number of bytes that nobody uses yet: those from free up to heap_end. */
static uint64_t free_bytes(const struct bump_heap *heap)
{
    (void)heap; /* Your code, in place of these two lines. */
    return 0;
}

/* Return whether the byte at `address` belongs to the heap. Any address may come here. */
static bool is_inside(const struct bump_heap *heap, const void *address)
{
    (void)heap, (void)address; /* Your code, in place of these two lines. */
    return false;
}

/* Return whether the byte at `address` belongs to the heap and is in use. */
static bool is_in_use(const struct bump_heap *heap, const void *address)
{
    (void)heap, (void)address; /* Your code, in place of these two lines. */
    return false;
}

/* Say that the next `size_bytes` bytes are now in use. The heap has room for them. */
static void take(struct bump_heap *heap, uint64_t size_bytes)
{
    (void)heap, (void)size_bytes; /* Your code, in place of this line. */
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_03 lesson_03 = {begin, used_bytes, free_bytes, is_inside, is_in_use, take};
