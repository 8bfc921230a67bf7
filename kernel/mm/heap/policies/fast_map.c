#include "kernel/mm/heap/policies/fast_map.h"

/* This many places of the map are written at a time: those for 32 MiB. */
#define MAP_STEP 64

struct fast_slab fast_no_slab = {.class_index = FAST_CLASS_COUNT};

/* A leaf without slabs. Never written. */
#define NO_SLAB_4  &fast_no_slab, &fast_no_slab, &fast_no_slab, &fast_no_slab
#define NO_SLAB_16 NO_SLAB_4, NO_SLAB_4, NO_SLAB_4, NO_SLAB_4
static struct fast_leaf no_leaf = {.slabs = {NO_SLAB_16, NO_SLAB_16, NO_SLAB_16, NO_SLAB_16}};
_Static_assert(FAST_LEAF_PAGES == 4 * 16, "no_leaf has a slab for each page");

/* Return the number of the leaf for an address, counted from the heap's base. */
static size_t leaf_number(const struct heap *heap, const uint8_t *address)
{
    uintptr_t floor = (uintptr_t)heap->base & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
    return ((uintptr_t)address - floor) / FAST_LEAF_BYTES;
}

static size_t place_count(const struct heap *heap)
{
    return heap->limit_bytes / FAST_LEAF_BYTES + 2;
}

/* Let the map's places from `first` to `end` lead to no slab. They adjoin the written places, if
 * there are any. */
static void write_places(struct heap *heap, size_t first, size_t end)
{
    struct fast_state *fast = fast_of(heap);
    for (size_t i = first; i < end; i++)
        fast->map_block[i] = &no_leaf;
    if (fast->map_length == 0 || &fast->map_block[first] < fast->map) {
        uintptr_t floor = (uintptr_t)heap->base & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
        fast->map = &fast->map_block[first];
        fast->map_floor = floor + first * FAST_LEAF_BYTES;
    }
    fast->map_length += end - first;
}

bool fast_map_create(struct heap *heap, bool may_grow)
{
    struct fast_state *fast = fast_of(heap);
    const struct heap_request request = {.size_bytes =
                                             place_count(heap) * sizeof(struct fast_leaf *),
                                         .alignment_bytes = SEALED_UNIT_BYTES};
    fast->map_block = fast_own_take(heap, FAST_OWN_MAP, &request, may_grow);
    return fast->map_block != NULL;
}

/* Write the map's places towards this leaf's place, at most one step, so that the time is bounded.
 * False: they do not reach it yet. Until they do, no slab is opened there. */
static bool reach_place(struct heap *heap, size_t leaf)
{
    const struct fast_state *fast = fast_of(heap);
    size_t first = fast->map_length == 0 ? leaf : (size_t)(fast->map - fast->map_block);
    size_t end = first + fast->map_length;
    if (leaf < first) {
        size_t new_first = first < MAP_STEP ? 0 : first - MAP_STEP;
        write_places(heap, new_first, first);
        return leaf >= new_first;
    }
    if (leaf < end)
        return true;
    size_t new_end = smaller(end + MAP_STEP, place_count(heap));
    write_places(heap, end, new_end);
    return leaf < new_end;
}

static size_t page_number(const struct fast_state *fast, const uint8_t *page)
{
    return ((uintptr_t)page - fast->map_floor) / FAST_PAGE_BYTES;
}

static struct fast_leaf **place_of(const struct fast_state *fast, const uint8_t *page)
{
    return &fast->map[page_number(fast, page) / FAST_LEAF_PAGES];
}

bool fast_map_reach(struct heap *heap, const uint8_t *page, bool may_grow)
{
    struct fast_state *fast = fast_of(heap);
    if (!reach_place(heap, leaf_number(heap, page)))
        return false;
    if (*place_of(fast, page) != &no_leaf)
        return true;
    const struct heap_request request = {.size_bytes = sizeof(struct fast_leaf),
                                         .alignment_bytes = SEALED_UNIT_BYTES};
    struct fast_leaf *leaf = fast_own_take(heap, FAST_OWN_LEAF, &request, may_grow);
    if (leaf == NULL)
        return false;
    *leaf = no_leaf;
    *place_of(fast, page) = leaf;
    fast->leaf_count++;
    return true;
}

void fast_map_set_pages(const struct fast_state *fast, const uint8_t *pages, unsigned page_count,
                        struct fast_slab *slab)
{
    size_t first = page_number(fast, pages);
    for (size_t page = first; page < first + page_count; page++) {
        struct fast_leaf *leaf = fast->map[page / FAST_LEAF_PAGES];
        leaf->used_count += leaf->slabs[page % FAST_LEAF_PAGES] == &fast_no_slab;
        leaf->slabs[page % FAST_LEAF_PAGES] = slab;
    }
}

void fast_map_clear_pages(const struct fast_state *fast, const uint8_t *pages, unsigned page_count,
                          const struct fast_slab *slab)
{
    size_t first = page_number(fast, pages);
    for (size_t page = first; page < first + page_count; page++) {
        struct fast_leaf *leaf = fast->map[page / FAST_LEAF_PAGES];
        if (leaf->slabs[page % FAST_LEAF_PAGES] == slab) {
            leaf->slabs[page % FAST_LEAF_PAGES] = &fast_no_slab;
            leaf->used_count--;
        }
    }
}

void fast_map_drop_if_unused(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    void *block = fast->map_block;
    if (block == NULL || fast->leaf_count != 0)
        return;
    fast->map_length = 0;
    fast->map_block = NULL;
    fast_own_release(heap, block);
}

/* Free the page's leaf if none of its pages belongs to a slab. */
static void drop_unused_leaf(struct heap *heap, const uint8_t *page)
{
    struct fast_state *fast = fast_of(heap);
    if (page_number(fast, page) / FAST_LEAF_PAGES >= fast->map_length)
        return;
    struct fast_leaf **place = place_of(fast, page);
    struct fast_leaf *leaf = *place;
    if (leaf == &no_leaf || leaf->used_count != 0)
        return;
    *place = &no_leaf;
    fast->leaf_count--;
    fast_own_release(heap, leaf);
}

void fast_map_drop_unused_leaves(struct heap *heap, const uint8_t *pages, unsigned page_count)
{
    drop_unused_leaf(heap, pages);
    drop_unused_leaf(heap, pages + (page_count - 1) * FAST_PAGE_BYTES);
    fast_map_drop_if_unused(heap);
}
