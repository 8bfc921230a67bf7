#include "kernel/mm/early_heap_picture.h"

uint64_t early_heap_map_draw(const struct early_heap *heap, char map[EARLY_HEAP_MAP_CHARACTERS + 1])
{
    uint64_t size_bytes = heap->end - heap->start;
    uint64_t stretch_bytes =
        (size_bytes + EARLY_HEAP_MAP_CHARACTERS - 1) / EARLY_HEAP_MAP_CHARACTERS;
    uintptr_t at = heap->start;
    unsigned i = 0;
    for (; i < EARLY_HEAP_MAP_CHARACTERS && at < heap->end; i++) {
        map[i] = at < heap->next ? '#' : at < heap->peak ? '+' : '.';
        at += stretch_bytes;
    }
    map[i] = '\0';
    return stretch_bytes;
}
