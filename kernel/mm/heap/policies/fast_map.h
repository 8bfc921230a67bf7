/*
 * fast_map.h - the map from pages to slabs. The picture is in fast_slab.h.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_MAP_H
#define KERNEL_MM_HEAP_POLICIES_FAST_MAP_H

#include "kernel/mm/heap/policies/fast_slab.h"

struct fast_leaf {
    struct fast_slab *slabs[FAST_LEAF_PAGES];
    size_t used_count; /* how many of its pages belong to a slab */
};

/* Stands for no slab. Never written. */
extern struct fast_slab fast_no_slab;

/* Return the slab whose pages contain the address, or fast_no_slab. */
static inline struct fast_slab *fast_map_find(const struct fast_state *fast, const void *address)
{
    uintptr_t offset = (uintptr_t)address - fast->map_floor;
    if (__builtin_expect(offset / FAST_LEAF_BYTES >= fast->map_length, 0))
        return &fast_no_slab;
    return fast->map[offset / FAST_LEAF_BYTES]->slabs[offset / FAST_PAGE_BYTES % FAST_LEAF_PAGES];
}

/* Create the map. Precondition: there is no map. False: there is no memory for it, or the heap is
 * corrupt. */
bool fast_map_create(struct heap *heap, bool may_grow);

/* Make sure that the page's place in the map can be written. False: there is no memory for its
 * leaf, or the map does not reach so far yet, or the heap is corrupt. */
bool fast_map_reach(struct heap *heap, const uint8_t *page, bool may_grow);

/* Let the places of the pages lead to the slab, also those that led to a dissolved one.
 * Precondition: they can be written. */
void fast_map_set_pages(const struct fast_state *fast, const uint8_t *pages, unsigned page_count,
                        struct fast_slab *slab);

/* Let the places of the pages that lead to the slab lead to none. */
void fast_map_clear_pages(const struct fast_state *fast, const uint8_t *pages, unsigned page_count,
                          const struct fast_slab *slab);

/* Free the map if it has no leaf. */
void fast_map_drop_if_unused(struct heap *heap);

/* Free each leaf of these pages that has no slab's page, and then the map if it has no leaf. */
void fast_map_drop_unused_leaves(struct heap *heap, const uint8_t *pages, unsigned page_count);

#endif
