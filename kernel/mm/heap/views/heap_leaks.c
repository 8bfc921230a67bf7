#include "kernel/mm/heap/include/handoff/heap_leaks.h"

static struct heap_leak_site *site_for(struct heap_leaks *leaks, const void *allocated_by)
{
    for (size_t i = 0; i < leaks->site_count; i++) {
        if (leaks->sites[i].allocated_by == allocated_by)
            return &leaks->sites[i];
    }
    if (leaks->site_count == HEAP_LEAK_SITE_LIMIT)
        return &leaks->others;
    struct heap_leak_site *site = &leaks->sites[leaks->site_count++];
    site->allocated_by = allocated_by;
    return site;
}

static void count_piece(void *context, const struct heap_piece *piece)
{
    if (piece->kind != HEAP_PIECE_LIVE)
        return;
    struct heap_leak_site *site = site_for(context, piece->allocated_by);
    site->block_count++;
    site->used_bytes += piece->size_bytes;
}

void heap_leaks_find(const struct heap *heap, struct heap_leaks *ret_leaks)
{
    *ret_leaks = (struct heap_leaks){0};
    heap_walk(heap, count_piece, ret_leaks);
}
