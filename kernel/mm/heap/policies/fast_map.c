#include "kernel/mm/heap/policies/fast_map.h"

#include "shared/memory.h"

/* This many places of the map are written at a time: those for 32 MiB. */
#define MAP_STEP 64

/* Never written, since it has no free slot. */
static uint64_t no_free_slot = 0;

struct fast_slab fast_no_slab = {.class_index = FAST_CLASS_COUNT, .word = &no_free_slot};
struct fast_slab fast_absent_slab = {.class_index = FAST_CLASS_COUNT};

/* A leaf without slabs. Never written. */
#define NO_SLAB_4  &fast_no_slab, &fast_no_slab, &fast_no_slab, &fast_no_slab
#define NO_SLAB_16 NO_SLAB_4, NO_SLAB_4, NO_SLAB_4, NO_SLAB_4
static struct fast_leaf no_leaf = {.slabs = {NO_SLAB_16, NO_SLAB_16, NO_SLAB_16, NO_SLAB_16}};
_Static_assert(FAST_LEAF_PAGES == 4 * 16, "no_leaf has a slab for each page");

/* A leaf of absent pages only. Never written. */
#define ABSENT_4  &fast_absent_slab, &fast_absent_slab, &fast_absent_slab, &fast_absent_slab
#define ABSENT_16 ABSENT_4, ABSENT_4, ABSENT_4, ABSENT_4
static struct fast_leaf absent_leaf = {.slabs = {ABSENT_16, ABSENT_16, ABSENT_16, ABSENT_16},
                                       .used_count = FAST_LEAF_PAGES};

static bool is_constant(const struct fast_leaf *leaf)
{
    return leaf == &no_leaf || leaf == &absent_leaf;
}

/* Return the number of the leaf for an address, counted from the heap's base. */
static size_t leaf_number(const struct heap *heap, const uint8_t *address)
{
    uintptr_t floor = (uintptr_t)heap->base & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
    return ((uintptr_t)address - floor) / FAST_LEAF_BYTES;
}

/* The number is odd, so that the places fill their block. */
static size_t place_count(const struct heap *heap)
{
    return (heap->limit_bytes / FAST_LEAF_BYTES + 2) | 1;
}

/* Return what a place for the pages from here differs by from its leaf (fast_map_find()). */
static uintptr_t shift_of(uintptr_t page)
{
    return page / FAST_PAGE_BYTES * sizeof(struct fast_slab *);
}

/* Return the address of the first page of a leaf that is counted from the heap's base. */
static uintptr_t first_page(const struct heap *heap, size_t leaf)
{
    uintptr_t floor = (uintptr_t)heap->base & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
    return floor + leaf * FAST_LEAF_BYTES;
}

struct fast_leaf *fast_map_leaf(const struct fast_state *fast, size_t number)
{
    uintptr_t page = fast->map_floor + number * FAST_LEAF_BYTES;
    return (struct fast_leaf *)(fast->map[number] + shift_of(page));
}

/* Let the map's places from `first` to `end` lead to no slab. They adjoin the written places, if
 * there are any. */
static void write_places(struct heap *heap, size_t first, size_t end)
{
    struct fast_state *fast = fast_of(heap);
    for (size_t i = first; i < end; i++)
        fast->map_block[i] = (uintptr_t)&no_leaf - shift_of(first_page(heap, i));
    if (fast->map_length == 0 || &fast->map_block[first] < fast->map) {
        fast->map = &fast->map_block[first];
        fast->map_floor = first_page(heap, first);
    }
    fast->map_length += end - first;
}

/* Return memory behind a guard, or NULL. */
static void *take_guarded(struct heap *heap, enum fast_own kind, size_t size_bytes, bool may_grow)
{
    const struct heap_request request = {.size_bytes = FAST_MAP_GUARD_BYTES + size_bytes,
                                         .alignment_bytes = SEALED_UNIT_BYTES};
    uint8_t *block = fast_own_take(heap, kind, &request, may_grow);
    if (block == NULL)
        return NULL;
    memset(block, 0, FAST_MAP_GUARD_BYTES);
    return block + FAST_MAP_GUARD_BYTES;
}

static void release_guarded(struct heap *heap, void *memory)
{
    fast_own_release(heap, (uint8_t *)memory - FAST_MAP_GUARD_BYTES);
}

/* So many places are zero until they are written. heap_check() finds another write there. */
static size_t checked_count(const struct heap *heap)
{
    return smaller(place_count(heap), MAP_STEP);
}

bool fast_map_create(struct heap *heap, bool may_grow)
{
    struct fast_state *fast = fast_of(heap);
    void *places =
        take_guarded(heap, FAST_OWN_MAP, place_count(heap) * sizeof(uintptr_t), may_grow);
    if (places == NULL)
        return false;
    fast->map_block = places;
    memset(places, 0, checked_count(heap) * sizeof(uintptr_t));
    return true;
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

static size_t place_of(const struct fast_state *fast, const uint8_t *page)
{
    return page_number(fast, page) / FAST_LEAF_PAGES;
}

static struct fast_leaf *leaf_of(const struct fast_state *fast, const uint8_t *page)
{
    return fast_map_leaf(fast, place_of(fast, page));
}

static void set_place(struct fast_state *fast, const uint8_t *page, struct fast_leaf *leaf)
{
    size_t place = place_of(fast, page);
    fast->map[place] = (uintptr_t)leaf - shift_of(fast->map_floor + place * FAST_LEAF_BYTES);
}

/* Return a new leaf without slabs, or NULL. */
static struct fast_leaf *take_leaf(struct heap *heap, bool may_grow)
{
    struct fast_leaf *leaf = take_guarded(heap, FAST_OWN_LEAF, sizeof *leaf, may_grow);
    if (leaf != NULL)
        *leaf = no_leaf;
    return leaf;
}

/* Write places towards that of the free memory at the end, from which new slabs most often come.
 * False: some were written. */
static bool reaches_top(struct heap *heap)
{
    const struct fast_state *fast = fast_of(heap);
    size_t old_length = fast->map_length;
    if (old_length != 0 && place_of(fast, fast->core.top) < old_length)
        return true;
    (void)reach_place(heap, leaf_number(heap, fast->core.top));
    return fast->map_length == old_length;
}

bool fast_map_prepare(struct heap *heap, bool may_grow)
{
    struct fast_state *fast = fast_of(heap);
    if (fast->map_block == NULL) {
        (void)fast_map_create(heap, may_grow);
        return false;
    }
    if (fast->spare_leaf_count < FAST_SLAB_LEAVES) {
        struct fast_leaf *leaf = take_leaf(heap, may_grow);
        if (leaf == NULL)
            return !heap->is_corrupt;
        fast->spare_leaves[fast->spare_leaf_count++] = leaf;
        return false;
    }
    return reaches_top(heap);
}

bool fast_map_reach(struct heap *heap, const uint8_t *page, bool may_grow)
{
    struct fast_state *fast = fast_of(heap);
    if (place_of(fast, page) >= fast->map_length && !reach_place(heap, leaf_number(heap, page)))
        return false;
    if (!is_constant(leaf_of(fast, page)))
        return true;
    struct fast_leaf *leaf = fast->spare_leaf_count != 0
                                 ? fast->spare_leaves[--fast->spare_leaf_count]
                                 : take_leaf(heap, may_grow);
    if (leaf == NULL)
        return false;
    const struct fast_leaf *old = leaf_of(fast, page);
    fast->leaf_count += old == &no_leaf;
    if (old != &no_leaf)
        *leaf = *old;
    set_place(fast, page, leaf);
    return true;
}

/* Return how many pages from this one on lie in its leaf, at most `page_count`. */
static inline unsigned count_in_leaf(size_t first_number, unsigned page_count)
{
    unsigned rest = FAST_LEAF_PAGES - (unsigned)(first_number % FAST_LEAF_PAGES);
    return page_count < rest ? page_count : rest;
}

/* Let places of a leaf that lead to `old` lead to `slab`. Return how many these are. */
static size_t replace(struct fast_slab **places, size_t count, const struct fast_slab *old,
                      struct fast_slab *slab)
{
    size_t replaced_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (places[i] != old)
            continue;
        places[i] = slab;
        replaced_count++;
    }
    return replaced_count;
}

/* Let all places of a leaf lead to the slab. Precondition: count > 0. */
static inline void replace_all(struct fast_slab **places, size_t count, struct fast_slab *slab)
{
#pragma clang loop unroll(disable)
    do
        places[--count] = slab;
    while (count != 0);
}

/* Let the places of the pages from this number on lead to the slab. They may have two leaves, and
 * some may lead to a dissolved slab. */
static void set_pages(const struct fast_state *fast, size_t number, unsigned page_count,
                      struct fast_slab *slab)
{
    struct fast_leaf *leaf = fast_map_leaf(fast, number / FAST_LEAF_PAGES);
    struct fast_slab **places = &leaf->slabs[number % FAST_LEAF_PAGES];
    unsigned count = count_in_leaf(number, page_count);
    leaf->used_count +=
        fast->dissolved == NULL ? count : replace(places, count, &fast_no_slab, slab);
    replace_all(places, count, slab);
    if (count != page_count)
        set_pages(fast, number + count, page_count - count, slab);
}

/* Return where a written place of the map has the page. */
static struct fast_slab **slab_place(const struct fast_state *fast, size_t place,
                                     const uint8_t *page)
{
    return (struct fast_slab **)(fast->map[place] + shift_of((uintptr_t)page));
}

/* Not all of the pages have one leaf that is there, or there are dissolved slabs. */
static __attribute__((noinline)) bool enter_other(struct heap *heap, const uint8_t *pages,
                                                  unsigned page_count, struct fast_slab *slab,
                                                  bool may_grow)
{
    const struct fast_state *fast = fast_of(heap);
    const uint8_t *last_page = pages + (page_count - 1) * FAST_PAGE_BYTES;
    if (!fast_map_reach(heap, pages, may_grow) || !fast_map_reach(heap, last_page, may_grow))
        return false;
    set_pages(fast, page_number(fast, pages), page_count, slab);
    return true;
}

/* Without a dissolved slab all of the places lead to no slab. */
bool fast_map_enter(struct heap *heap, const uint8_t *pages, unsigned page_count,
                    struct fast_slab *slab, bool may_grow)
{
    const struct fast_state *fast = fast_of(heap);
    size_t number = page_number(fast, pages);
    size_t first = number % FAST_LEAF_PAGES;
    if (first + page_count > FAST_LEAF_PAGES || number / FAST_LEAF_PAGES >= fast->map_length ||
        fast->dissolved != NULL)
        return enter_other(heap, pages, page_count, slab, may_grow);
    struct fast_slab **places = slab_place(fast, number / FAST_LEAF_PAGES, pages);
    struct fast_leaf *leaf = (struct fast_leaf *)(places - first);
    if (is_constant(leaf))
        return enter_other(heap, pages, page_count, slab, may_grow);
    leaf->used_count += page_count;
    replace_all(places, page_count, slab);
    return true;
}

/* The pages have two leaves, or the slab is dissolved, and some places lead to later slabs. */
static __attribute__((noinline)) bool clear_other_pages(const struct fast_state *fast,
                                                        size_t number, unsigned page_count,
                                                        const struct fast_slab *slab)
{
    struct fast_leaf *leaf = fast_map_leaf(fast, number / FAST_LEAF_PAGES);
    struct fast_slab **places = &leaf->slabs[number % FAST_LEAF_PAGES];
    unsigned count = count_in_leaf(number, page_count);
    leaf->used_count -= replace(places, count, slab, &fast_no_slab);
    bool is_unused = leaf->used_count == 0;
    if (count != page_count)
        is_unused |= clear_other_pages(fast, number + count, page_count - count, slab);
    return is_unused;
}

bool fast_map_clear_pages(const struct fast_state *fast, const uint8_t *pages, unsigned page_count,
                          const struct fast_slab *slab)
{
    size_t number = page_number(fast, pages);
    size_t first = number % FAST_LEAF_PAGES;
    if (first + page_count > FAST_LEAF_PAGES || slab->is_dissolved)
        return clear_other_pages(fast, number, page_count, slab);
    struct fast_slab **places = slab_place(fast, number / FAST_LEAF_PAGES, pages);
    struct fast_leaf *leaf = (struct fast_leaf *)(places - first);
    replace_all(places, page_count, &fast_no_slab);
    return (leaf->used_count -= page_count) == 0;
}

bool fast_map_has_spare(const struct fast_state *fast, const struct fast_leaf *leaf)
{
    for (unsigned i = 0; i < fast->spare_leaf_count; i++) {
        if (fast->spare_leaves[i] == leaf)
            return true;
    }
    return false;
}

void fast_map_release_spare(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    release_guarded(heap, fast->spare_leaves[--fast->spare_leaf_count]);
}

bool fast_map_drop_if_unused(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    if (fast->map_block == NULL || fast->leaf_count != 0 || fast->spare_leaf_count != 0)
        return false;
    void *block = fast->map_block;
    fast->map_length = 0;
    fast->map_block = NULL;
    release_guarded(heap, block);
    return true;
}

/* The page's leaf leaves the map if none of its pages belongs to a slab. */
static void drop_unused_leaf(struct heap *heap, const uint8_t *page)
{
    struct fast_state *fast = fast_of(heap);
    if (page_number(fast, page) / FAST_LEAF_PAGES >= fast->map_length)
        return;
    struct fast_leaf *leaf = leaf_of(fast, page);
    if (is_constant(leaf) || leaf->used_count != 0)
        return;
    set_place(fast, page, &no_leaf);
    fast->leaf_count--;
    if (fast->spare_leaf_count < FAST_SPARE_LEAVES)
        fast->spare_leaves[fast->spare_leaf_count++] = leaf;
    else
        release_guarded(heap, leaf);
}

void fast_map_drop_unused_leaves(struct heap *heap, const uint8_t *pages, unsigned page_count)
{
    const struct fast_state *fast = fast_of(heap);
    const uint8_t *last_page = pages + (page_count - 1) * FAST_PAGE_BYTES;
    size_t last_place = place_of(fast, last_page);
    bool is_in_two = place_of(fast, pages) != last_place;
    drop_unused_leaf(heap, last_page);
    if (is_in_two)
        drop_unused_leaf(heap, pages);
}

/* --- Absent pages ----------------------------------------------------------------------------- */

/* Leaves are counted from the page of the heap's base. */
static uint8_t *leaf_start(const struct heap *heap, const uint8_t *page)
{
    uintptr_t floor = (uintptr_t)heap->base & ~(uintptr_t)(FAST_PAGE_BYTES - 1);
    return (uint8_t *)(uintptr_t)page - ((uintptr_t)page - floor) % FAST_LEAF_BYTES;
}

uint8_t *fast_map_leaf_end(const struct heap *heap, const uint8_t *page)
{
    return leaf_start(heap, page) + FAST_LEAF_BYTES;
}

/* Let a place lead to a constant leaf, and free the leaf that it led to. */
static void set_leaf(struct heap *heap, const uint8_t *page, struct fast_leaf *constant)
{
    struct fast_state *fast = fast_of(heap);
    struct fast_leaf *old = leaf_of(fast, page);
    fast->leaf_count += (constant != &no_leaf) - (old != &no_leaf);
    set_place(fast, page, constant);
    if (!is_constant(old))
        release_guarded(heap, old);
}

static bool leaf_is_absent(const struct fast_leaf *leaf)
{
    for (unsigned i = 0; i < FAST_LEAF_PAGES; i++) {
        if (leaf->slabs[i] != &fast_absent_slab)
            return false;
    }
    return true;
}

/* Let pages of one leaf be absent. */
static bool set_part_absent(struct heap *heap, uint8_t *start, const uint8_t *end)
{
    struct fast_state *fast = fast_of(heap);
    bool is_whole = (size_t)(end - start) == FAST_LEAF_BYTES;
    if (is_whole ? !reach_place(heap, leaf_number(heap, start))
                 : !fast_map_reach(heap, start, false))
        return false;
    if (!is_whole)
        set_pages(fast, page_number(fast, start),
                  (unsigned)((size_t)(end - start) / FAST_PAGE_BYTES), &fast_absent_slab);
    if (is_whole || leaf_is_absent(leaf_of(fast, start)))
        set_leaf(heap, start, &absent_leaf);
    return true;
}

uint8_t *fast_map_set_absent(struct heap *heap, uint8_t *start, uint8_t *end)
{
    if (fast_of(heap)->map_block == NULL && !fast_map_create(heap, false))
        return end;
    while (end > start) {
        uint8_t *part = leaf_start(heap, end - FAST_PAGE_BYTES);
        if (part < start)
            part = start;
        if (!set_part_absent(heap, part, end))
            break;
        end = part;
    }
    (void)fast_map_drop_if_unused(heap);
    return end;
}

void fast_map_set_present(struct heap *heap, uint8_t *start, uint8_t *end)
{
    while (start < end) {
        uint8_t *part_end = fast_map_leaf_end(heap, start);
        if (part_end > end)
            part_end = end;
        if ((size_t)(part_end - start) == FAST_LEAF_BYTES)
            set_leaf(heap, start, &no_leaf);
        else
            (void)fast_map_clear_pages(fast_of(heap), start,
                                       (unsigned)((size_t)(part_end - start) / FAST_PAGE_BYTES),
                                       &fast_absent_slab);
        start = part_end;
    }
}

/* --- Views ------------------------------------------------------------------------------------ */

static bool is_leaf(const struct fast_core *core, const struct fast_leaf *leaf)
{
    uint64_t header;
    const uint8_t *block = (const uint8_t *)leaf - FAST_MAP_GUARD_BYTES;
    return fast_block_index(core, block) < core->last_index &&
           sealed_read_header(core->secret, block, &header) && (header & SEALED_OWN) != 0 &&
           fast_own_kind(header) == FAST_OWN_LEAF;
}

bool fast_map_is_sound(const struct fast_state *fast)
{
    for (size_t i = 0; i < fast->map_length; i++) {
        const struct fast_leaf *leaf = fast_map_leaf(fast, i);
        if (!is_constant(leaf) && !is_leaf(&fast->core, leaf))
            return false;
    }
    return true;
}

bool fast_map_guard_is_intact(const uint8_t *block)
{
    uint64_t bits = 0;
    const uint64_t *words = (const void *)block;
    for (size_t i = 0; i < FAST_MAP_GUARD_BYTES / sizeof *words; i++)
        bits |= words[i];
    return bits == 0;
}

bool fast_map_rest_is_sound(const struct heap *heap)
{
    const struct fast_state *fast = fast_of(heap);
    if (fast->map_block == NULL)
        return true;
    size_t first = fast->map_length == 0 ? 0 : (size_t)(fast->map - fast->map_block);
    for (size_t i = 0; i < checked_count(heap); i++) {
        bool is_written = i >= first && i - first < fast->map_length;
        if (!is_written && fast->map_block[i] != 0)
            return false;
    }
    return true;
}

size_t fast_map_count_leaves(const struct fast_state *fast)
{
    size_t count = 0;
    for (size_t i = 0; i < fast->map_length; i++)
        count += !is_constant(fast_map_leaf(fast, i));
    return count;
}
