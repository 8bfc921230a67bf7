#include "kernel/mm/heap/include/handoff/heap_picture.h"

#define STRETCH_LIMIT (HEAP_MAP_COLUMNS * HEAP_MAP_ROWS)

/* --- Figures ---------------------------------------------------------------------------------- */

unsigned heap_size_class(size_t size_bytes)
{
    if (size_bytes <= 1)
        return 0;
    unsigned class = 64 - (unsigned)__builtin_clzll((uint64_t)size_bytes - 1);
    return class < HEAP_SIZE_CLASS_COUNT ? class : HEAP_SIZE_CLASS_COUNT - 1;
}

static void count_piece(void *context, const struct heap_piece *piece)
{
    struct heap_picture *picture = context;
    if (piece->kind == HEAP_PIECE_LIVE)
        picture->live_counts[heap_size_class(piece->size_bytes)]++;
}

static unsigned permille(size_t part, size_t whole)
{
    /* No heap has 2^54 bytes, so the product cannot wrap. */
    return whole == 0 ? 0 : (unsigned)((uint64_t)part * 1000 / whole);
}

void heap_picture_take(const struct heap *heap, struct heap_picture *ret_picture)
{
    *ret_picture = (struct heap_picture){0};
    struct heap_statistics *statistics = &ret_picture->statistics;
    heap_statistics(heap, statistics);
    heap_walk(heap, count_piece, ret_picture);
    if (statistics->live_block_count != 0)
        ret_picture->internal_permille =
            permille(statistics->overhead_bytes, statistics->size_bytes - statistics->free_bytes);
    ret_picture->external_permille =
        permille(statistics->free_bytes - statistics->largest_free_bytes, statistics->free_bytes);
}

/* --- The map ---------------------------------------------------------------------------------- */

struct stretch {
    uint32_t live_bytes;
    uint32_t free_bytes;
};

struct map {
    uintptr_t base;
    size_t stretch_bytes;
    size_t stretch_count;
    struct stretch stretches[STRETCH_LIMIT];
};

/* A piece may lie in many stretches. */
static void mark_piece(void *context, const struct heap_piece *piece)
{
    struct map *map = context;
    if (piece->kind == HEAP_PIECE_OWN)
        return;
    uintptr_t offset = (uintptr_t)piece->start - map->base;
    uintptr_t end = offset + piece->extent_bytes;
    while (offset < end) {
        size_t index = offset / map->stretch_bytes;
        if (index >= map->stretch_count)
            return;
        uintptr_t stretch_end = (index + 1) * map->stretch_bytes;
        uint32_t bytes = (uint32_t)((end < stretch_end ? end : stretch_end) - offset);
        if (piece->kind == HEAP_PIECE_LIVE)
            map->stretches[index].live_bytes += bytes;
        else
            map->stretches[index].free_bytes += bytes;
        offset += bytes;
    }
}

static char character_for(const struct stretch *stretch)
{
    if (stretch->live_bytes == 0)
        return stretch->free_bytes == 0 ? 'o' : '.';
    return stretch->free_bytes == 0 ? '#' : '+';
}

/* Return the smallest power of two, at least 64 bytes, so that STRETCH_LIMIT stretches of this size
 * cover the heap. */
static size_t stretch_for(size_t size_bytes)
{
    size_t bytes = 64;
    while (bytes * STRETCH_LIMIT < size_bytes)
        bytes *= 2;
    return bytes;
}

void heap_map_draw(const struct heap *heap,
                   void (*row)(void *context, const void *start, const char *text), void *context,
                   size_t *ret_stretch_bytes)
{
    struct map map = {.base = (uintptr_t)heap_base(heap),
                      .stretch_bytes = stretch_for(heap_size_bytes(heap))};
    map.stretch_count = (heap_size_bytes(heap) + map.stretch_bytes - 1) / map.stretch_bytes;
    *ret_stretch_bytes = map.stretch_bytes;
    heap_walk(heap, mark_piece, &map);
    for (size_t first = 0; first < map.stretch_count; first += HEAP_MAP_COLUMNS) {
        char text[HEAP_MAP_COLUMNS + 1];
        size_t column = 0;
        for (; column < HEAP_MAP_COLUMNS && first + column < map.stretch_count; column++)
            text[column] = character_for(&map.stretches[first + column]);
        text[column] = '\0';
        row(context, (const uint8_t *)heap_base(heap) + first * map.stretch_bytes, text);
    }
}
