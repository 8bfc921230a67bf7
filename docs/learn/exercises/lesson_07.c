/* Lesson 7: why free is hard. This is your file: edit it, then run `make lesson N=7`. */
#include "lessons/lesson_07.h"

/* The heap's memory. `heap_start` is a multiple of 4096. Never write outside of it. */
static uint8_t *heap_start;
static uint8_t *heap_end; /* the first byte behind the heap */

/* --- Stage A: last in, first out ----------------------------------------------------------------
 *
 * Before each block lies a record of the heap. It says which block was the newest one before. */

static uint8_t *free_start; /* the first byte that is not in use */
static uint8_t *newest;     /* the newest block that is in use, or NULL */

struct record {
    uint8_t *newest_before; /* the block that was the newest one before this block */
    uint64_t filler;        /* so that a record has 16 bytes, and the block behind it is aligned */
};

/* Nothing is in use. (This function is complete.) */
static void lifo_begin(void *memory, uint64_t size_bytes)
{
    heap_start = memory;
    heap_end = heap_start + size_bytes;
    free_start = heap_start;
    newest = NULL;
}

/* Return a block of `size_bytes` bytes that begins at a multiple of 16 and now is the newest one.
 * It lies behind all blocks that are in use, with its record before it. Return NULL, and change
 * nothing, if `size_bytes` is 0 or there is no room for record and block. A size can be huge. */
static void *lifo_allocate(uint64_t size_bytes)
{
    (void)size_bytes; /* Your code, in place of these two lines. */
    return NULL;
}

/* If `block` is the newest block, give back its memory and its record, and return true. The block
 * before it becomes the newest one. For every other address, change nothing and return false. */
static bool lifo_free(void *block)
{
    (void)block; /* Your code, in place of these two lines. */
    return false;
}

/* --- Stage B: free any block --------------------------------------------------------------------
 *
 * The heap is cut into pieces: each begins where the one before it ends, the first at heap_start,
 * and the last ends at heap_end. A used piece has one block, with your header before it. A free
 * piece has no block. After every call, no two free pieces are neighbours. */

/* At the start of every piece. It has 16 bytes. You may change it. */
struct header {
    uint64_t size_bytes; /* of the piece, with this header: a multiple of 16 */
    uint64_t used;       /* 1: a block is in the piece; 0: the piece is free */
};

/* All of the heap is one free piece. `size_bytes` is a multiple of 16. The lesson calls this once for
 * each of its heaps: forget the heap before. */
static void list_begin(void *memory, uint64_t size_bytes)
{
    heap_start = memory;
    heap_end = heap_start + size_bytes;
    /* Your code, in place of this line. */
}

/* Return a block of `size_bytes` bytes that begins at a multiple of 16, in a free piece that is
 * large enough for header and block: the first one will do. The piece becomes used. If the piece,
 * with its header, is more than 96 bytes larger than `size_bytes`, split it: the rest becomes a free
 * piece. (A smaller rest can stay with the piece.) Return NULL, and change nothing, if `size_bytes`
 * is 0 or no free piece is large enough. A size can be huge. */
static void *list_allocate(uint64_t size_bytes)
{
    (void)size_bytes; /* Your code, in place of these two lines. */
    return NULL;
}

/* Make the piece of `block` free, and merge it with its free neighbours: the one before it, and the
 * one behind it. `block` came from list_allocate() and is in use. */
static void list_free(void *block)
{
    (void)block; /* Your code, in place of this line. */
}

/* A piece begins at `piece_start`. Return its size, and whether it is used. Change nothing. The
 * lesson asks first for the piece at heap_start, then for the piece behind it, up to heap_end. */
static struct piece describe(const void *piece_start)
{
    (void)piece_start; /* Your code, in place of these two lines. */
    return (struct piece){.size_bytes = 0, .used = false};
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_07 lesson_07 = {lifo_begin,    lifo_allocate, lifo_free, list_begin,
                                    list_allocate, list_free,     describe};
