/*
 * fast_map.h - the map from pages to slabs. The picture is in fast_slab.h. The map has a place for
 * each leaf, and a leaf has a place for each of 64 pages. "Written places" are those of the map.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_MAP_H
#define KERNEL_MM_HEAP_POLICIES_FAST_MAP_H

#include "kernel/mm/heap/policies/fast_slab.h"

struct fast_leaf {
    struct fast_slab *slabs[FAST_LEAF_PAGES];
    size_t used_count; /* how many of its pages belong to a slab */
};

/* The map, and each leaf, begin so far behind the start of their blocks. An overrun of up to that
 * length from the block before them then leaves them intact, and the free of that block finds
 * it. */
#define FAST_MAP_GUARD_BYTES 64u

/* Return the leaf in a block that holds one. */
static inline struct fast_leaf *fast_map_leaf_in(const uint8_t *block)
{
    return (struct fast_leaf *)(void *)(uintptr_t)(block + FAST_MAP_GUARD_BYTES);
}

/* Stands for a page of free memory that is given back (fast_absent.h). Never written. */
extern struct fast_slab fast_absent_slab;

/* Return the slab whose pages contain the address, or fast_no_slab. A place of the map leads to
 * where its leaf would have the slab of page 0, so that no bits of the page's number must be
 * masked. */
static inline struct fast_slab *fast_map_find(const struct fast_state *fast, const void *address)
{
    uintptr_t offset = (uintptr_t)address - fast->map_floor;
    if (__builtin_expect(offset / FAST_LEAF_BYTES >= fast->map_length, 0))
        return &fast_no_slab;
    uintptr_t leaf = fast->map[offset / FAST_LEAF_BYTES];
    uintptr_t page = (uintptr_t)address / FAST_PAGE_BYTES;
    return *(struct fast_slab **)(leaf + page * sizeof(struct fast_slab *));
}

/* True if fast_map_prepare() has nothing to do. Without a map no place is written. */
static inline bool fast_map_is_prepared(const struct fast_state *fast)
{
    return fast->spare_leaf_count >= FAST_SLAB_LEAVES &&
           ((uintptr_t)fast->core.top - fast->map_floor) / FAST_LEAF_BYTES < fast->map_length;
}

/* Make sure that there is a map, that there is a spare leaf for it, and that the map reaches the
 * heap's end. Do at most one step of this at a time, so that the time of a request is bounded.
 * False: a step was done, or there is no map, or the heap is corrupt. */
bool fast_map_prepare(struct heap *heap, bool may_grow);

/* Create the map. Precondition: there is no map. False: there is no memory for it, or the heap is
 * corrupt. */
bool fast_map_create(struct heap *heap, bool may_grow);

/* Make sure that the page's place in the map can be written. False: there is no memory for its
 * leaf, or the map does not reach so far yet, or the heap is corrupt. */
bool fast_map_reach(struct heap *heap, const uint8_t *page, bool may_grow);

/* Let the places of a slab's pages lead to it, also those that led to a dissolved one. False: as
 * above, and fast_map_drop_unused_leaves() is needed. */
bool fast_map_enter(struct heap *heap, const uint8_t *pages, unsigned page_count,
                    struct fast_slab *slab, bool may_grow);

/* Let the places of the pages [start, end) lead to fast_absent_slab, from the last one down, and
 * return the first one that does. It is above `start` if there is no memory for a leaf, or the map
 * does not reach so far yet, or the heap is corrupt. A leaf of absent pages only takes no memory.
 * Precondition: the pages are free. */
uint8_t *fast_map_set_absent(struct heap *heap, uint8_t *start, uint8_t *end);

/* Let the places of the pages [start, end) lead to fast_no_slab. Precondition: they lead to
 * fast_absent_slab, and fast_map_reach() has succeeded for the last one if the rest of its leaf
 * stays absent. */
void fast_map_set_present(struct heap *heap, uint8_t *start, uint8_t *end);

/* Return one past the last page of the page's leaf. */
uint8_t *fast_map_leaf_end(const struct heap *heap, const uint8_t *page);

/* Let the places of the pages that lead to the slab lead to none. All of them do, unless it is
 * dissolved. True: fast_map_drop_unused_leaves() is needed. */
bool fast_map_clear_pages(const struct fast_state *fast, const uint8_t *pages, unsigned page_count,
                          const struct fast_slab *slab);

/* Return the leaf of this number of the written places. */
struct fast_leaf *fast_map_leaf(const struct fast_state *fast, size_t number);

/* True if every place of the map leads to a leaf. heap_check() follows none that does not. */
bool fast_map_is_sound(const struct fast_state *fast);

/* True if the first places of the map that are not written yet are as they were created. */
bool fast_map_rest_is_sound(const struct heap *heap);

/* Return how many leaves take memory. */
size_t fast_map_count_leaves(const struct fast_state *fast);

/* True if the map does not use the leaf. */
bool fast_map_has_spare(const struct fast_state *fast, const struct fast_leaf *leaf);

/* True if the bytes before the map or a leaf are intact in this block. */
bool fast_map_guard_is_intact(const uint8_t *block);

/* Free a leaf that the map does not use. Precondition: there is one. */
void fast_map_release_spare(struct heap *heap);

/* Free the map if it has no leaf, and there is no spare one. True: this was done. */
bool fast_map_drop_if_unused(struct heap *heap);

/* The leaves of these pages that have no slab's page leave the map. */
void fast_map_drop_unused_leaves(struct heap *heap, const uint8_t *pages, unsigned page_count);

#endif
