#include "kernel/mm/early_heap_picture.h"

uint64_t early_heap_map_draw(const struct early_heap *heap, char map[EARLY_HEAP_MAP_CHARACTERS + 1])
{
    uint64_t size_bytes = heap->end.value - heap->start.value;
    uint64_t stretch_bytes =
        (size_bytes + EARLY_HEAP_MAP_CHARACTERS - 1) / EARLY_HEAP_MAP_CHARACTERS;
    struct virt_addr at = heap->start;
    unsigned i = 0;
    for (; i < EARLY_HEAP_MAP_CHARACTERS && at.value < heap->end.value; i++) {
        map[i] = at.value < heap->next.value ? '#' : at.value < heap->peak.value ? '+' : '.';
        at = virt_addr_add(at, stretch_bytes);
    }
    map[i] = '\0';
    return stretch_bytes;
}
