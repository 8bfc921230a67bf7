/* wrong: returned false: it is the newest block */
#include "lessons/lesson_07.h"

static uint8_t *heap_start;
static uint8_t *heap_end;

/* Both heaps divide memory into units of 16 bytes, so that all blocks are aligned. The caller has
 * checked that the size is not larger than the heap, so the sum cannot wrap. */
static uint64_t round_up(uint64_t size_bytes)
{
    return (size_bytes + 15) / 16 * 16;
}

static bool is_impossible(uint64_t size_bytes)
{
    return size_bytes == 0 || size_bytes > (uint64_t)(heap_end - heap_start);
}

/* --- Stage A: last in, first out -------------------------------------------------------------- */

static uint8_t *free_start;
static uint8_t *newest;

/* Enough for a few blocks. */
static uint8_t *newest_ones[16];
static uint64_t newest_count;

struct record {
    uint8_t *newest_before;
    uint64_t filler;
};

static void lifo_begin(void *memory, uint64_t size_bytes)
{
    heap_start = memory;
    heap_end = heap_start + size_bytes;
    free_start = heap_start;
    newest = NULL;
}

static void *lifo_allocate(uint64_t size_bytes)
{
    if (is_impossible(size_bytes))
        return NULL;
    uint64_t needed_bytes = sizeof(struct record) + round_up(size_bytes);
    if (needed_bytes > (uint64_t)(heap_end - free_start))
        return NULL;
    struct record *record = (void *)free_start;
    record->newest_before = NULL;
    newest_ones[newest_count++ % 16] = newest;
    newest = free_start + sizeof(struct record);
    free_start += needed_bytes;
    return newest;
}

static bool lifo_free(void *block)
{
    if (block == NULL || block != newest)
        return false;
    free_start = newest - sizeof(struct record);
    newest = newest_ones[--newest_count % 16];
    return true;
}

/* --- Stage B: free any block ------------------------------------------------------------------ */

struct header {
    uint64_t size_bytes;
    uint64_t used;
};

/* The piece behind this one; NULL if this is the last one. */
static struct header *next_of(struct header *piece)
{
    uint8_t *next = (uint8_t *)piece + piece->size_bytes;
    return next < heap_end ? (void *)next : NULL;
}

static void list_begin(void *memory, uint64_t size_bytes)
{
    heap_start = memory;
    heap_end = heap_start + size_bytes;
    struct header *all = memory;
    *all = (struct header){.size_bytes = size_bytes, .used = 0};
}

/* Cut a piece after `needed_bytes`. A rest without room for a block stays with the piece. */
static void split(struct header *piece, uint64_t needed_bytes)
{
    uint64_t rest_bytes = piece->size_bytes - needed_bytes;
    if (rest_bytes <= sizeof(struct header))
        return;
    piece->size_bytes = needed_bytes;
    *next_of(piece) = (struct header){.size_bytes = rest_bytes, .used = 0};
}

static void *list_allocate(uint64_t size_bytes)
{
    if (is_impossible(size_bytes))
        return NULL;
    uint64_t needed_bytes = sizeof(struct header) + round_up(size_bytes);
    struct header *piece = (void *)heap_start;
    while (piece != NULL && (piece->used || piece->size_bytes < needed_bytes))
        piece = next_of(piece);
    if (piece == NULL)
        return NULL;
    split(piece, needed_bytes);
    piece->used = 1;
    return piece + 1; /* the first byte behind the header */
}

static void list_free(void *block)
{
    struct header *freed = (struct header *)block - 1;
    freed->used = 0;
    for (struct header *piece = (void *)heap_start; piece != NULL; piece = next_of(piece)) {
        struct header *next = next_of(piece);
        while (!piece->used && next != NULL && !next->used) {
            piece->size_bytes += next->size_bytes; /* merge */
            next = next_of(piece);
        }
    }
}

static struct piece describe(const void *piece_start)
{
    const struct header *header = piece_start;
    return (struct piece){.size_bytes = header->size_bytes, .used = header->used != 0};
}

const struct lesson_07 lesson_07 = {lifo_begin,    lifo_allocate, lifo_free, list_begin,
                                    list_allocate, list_free,     describe};
