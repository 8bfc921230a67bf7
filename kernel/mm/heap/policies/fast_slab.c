#include "kernel/mm/heap/policies/fast_slab.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_map.h"
#include "kernel/mm/heap/policies/fast_record.h"
#include "kernel/mm/heap/policies/fast_tombstone.h"
#include "shared/memory.h"

/* In a heap below this size a slab would take too large a part. */
#define SLABS_FROM_BYTES ((size_t)512 * 1024)
/* The unused rest at a slab's end is at most this part of the slab …
 * Measured: with any rest, the kernel's mix uses 96.4 % of a region instead of 97.1 %. */
#define LOSS_IN_SLAB 24
/* … but a class's first slab may lose this part of the memory that is left.
 * Measured: without this, the kernel's mix takes 84 instructions instead of 69. */
#define LOSS_IN_ROOM 16384

/* A medium slab has at least this many slots, if that is no too large part of the memory.
 * Measured: with 3, producer-consumer takes 185 instructions instead of 171, and young-and-old 86
 * instead of 79. With 64, kernel-server uses 96.6 % of a region instead of 98.1 %. */
#define MEDIUM_SLOTS 16

/* Memory is scarce if less than this part of the heap's limit is left: twice as much as the empty
 * slabs of a heap may have.
 * Measured: with 4, the share of a region that is used changes by 0.02 % at most. */
#define SCARCE_PART (FAST_SLABS_IN_A_HEAP / (2 * FAST_EMPTY_SLABS))

_Static_assert(FAST_MEDIUM_PAGES <= FAST_PAGE_COUNT_MASK, "pages are counted in 4 bits");
_Static_assert(FAST_SLAB_PAGES *FAST_PAGE_BYTES / 16 <= UINT16_MAX, "slots are counted in 16 bits");

/* --- Records ---------------------------------------------------------------------------------- */

/* The half word from `least_bytes` on, without the flags behind `page_count`. In the words before
 * it, no member changes. */
#define UNCHANGED_BITS UINT64_C(0x0fffffff00000000)
_Static_assert(
    offsetof(struct fast_slab, stride_bytes) == offsetof(struct fast_slab, end_byte) + 6 &&
        offsetof(struct fast_slab, least_bytes) == offsetof(struct fast_slab, used_count) + 4 &&
        offsetof(struct fast_slab, class_index) == offsetof(struct fast_slab, used_count) + 6,
    "the seal covers these members as three words");

static inline uint64_t word_at(const struct fast_slab *slab, size_t offset_bytes)
{
    uint64_t word;
    __builtin_memcpy(&word, (const uint8_t *)slab + offset_bytes, sizeof word);
    return word;
}

/* The mark is in both halves of its word, so another word in one half leaves nothing out. */
static inline uint64_t seal_of(const struct fast_state *fast, const struct fast_slab *slab)
{
    uint64_t marks = word_at(slab, offsetof(struct fast_slab, mark));
    uint64_t lengths = word_at(slab, offsetof(struct fast_slab, end_byte));
    uint64_t kind = word_at(slab, offsetof(struct fast_slab, used_count)) & UNCHANGED_BITS;
    struct heap_key key = fast->core.secret.headers;
    uint64_t state = heap_hash_add(key, 0, (uintptr_t)slab, (uintptr_t)slab->slots);
    return heap_hash_end(key, heap_hash_add(key, state, marks ^ kind, lengths));
}

bool fast_slab_is_sound(const struct fast_state *fast, const struct fast_slab *slab)
{
    const uint8_t *record = (const void *)slab;
    return (uintptr_t)record % SEALED_UNIT_BYTES == 0 && record >= fast_first(&fast->core) &&
           record <= fast->core.end - sizeof *slab && slab->mark == slab->mark_before &&
           slab->seal == seal_of(fast, slab);
}

/* --- Opening ---------------------------------------------------------------------------------- */

/* In a medium slab all marks are set, too. */
static inline void make_all_free(struct fast_slab *slab)
{
    uint64_t *free = slab->free;
    uint64_t *marks = fast_slab_marks(slab);
    uint64_t *free_end = marks;
    uint64_t mark_word = fast_slab_is_medium(slab) ? UINT64_MAX : 0;
#pragma clang loop unroll(disable)
    do {
        *free++ = UINT64_MAX;
        *marks++ = mark_word;
    } while (free != free_end);
}

static void fill_in(const struct fast_state *fast, struct fast_slab *slab, size_t class_index,
                    uint8_t *pages, unsigned page_count, unsigned slot_count)
{
    const struct fast_class *size_class = &fast->classes[class_index];
    uint32_t mark = fast_slot_mark(fast, class_index);
    *slab = (struct fast_slab){
        .slots = pages + fast_class_first_bytes(class_index),
        .reciprocal = size_class->reciprocal,
        .padded_reciprocal = class_index < FAST_PADDED_CLASSES ? size_class->reciprocal : 0,
        .stride_bytes = (uint16_t)size_class->stride_bytes,
        .least_bytes = (uint16_t)(size_class->stride_bytes - SEALED_UNIT_BYTES),
        .mark = mark,
        .mark_before = mark,
        .end_byte = fast_slot_end_byte(mark, class_index, size_class->stride_bytes),
        .slot_count = (uint16_t)slot_count,
        .class_index = (uint8_t)class_index,
        .page_count = page_count & FAST_PAGE_COUNT_MASK,
    };
    make_all_free(slab);
    slab->seal = seal_of(fast, slab);
    if (!fast_slab_is_dense(slab))
        fast_slot_write_guard(fast, slab);
}

void fast_slab_release_surplus(struct heap *heap, bool keeps_some)
{
    if (keeps_some ? fast_record_release_surplus(heap) : fast_record_release_unused(heap))
        return;
    if (fast_of(heap)->spare_leaf_count > (keeps_some ? FAST_SLAB_LEAVES : 0))
        fast_map_release_spare(heap);
}

/* The core uses the rest behind the last slot. While there are dissolved slabs, that page might have
 * a piece of one, so the slab then takes all of it. */
static size_t pages_bytes(const struct fast_state *fast, size_t class_index, unsigned page_count,
                          unsigned slot_count)
{
    if (fast->dissolved != NULL)
        return page_count * FAST_PAGE_BYTES - FAST_PAGES_LOSS_BYTES;
    return fast_class_first_bytes(class_index) +
           (size_t)slot_count * fast->classes[class_index].stride_bytes;
}

/* Create the pages, and take a record. NULL: it failed and kept nothing. */
static struct fast_slab *build_slab(struct heap *heap, size_t class_index, unsigned page_count,
                                    unsigned slot_count, bool may_grow)
{
    struct fast_state *fast = fast_of(heap);
    const struct heap_request request = {.size_bytes =
                                             pages_bytes(fast, class_index, page_count, slot_count),
                                         .alignment_bytes = FAST_PAGE_BYTES};
    uint8_t *pages = fast_own_take(heap, FAST_OWN_PAGES, &request, may_grow);
    if (pages == NULL)
        return NULL;
    struct fast_slab *slab = NULL;
    if (fast_map_reach_all(heap, pages, page_count, may_grow))
        slab = fast_record_take(heap, slot_count);
    if (slab == NULL) {
        fast_map_drop_unused_leaves(heap, pages, page_count);
        fast_own_release(heap, pages);
        return NULL;
    }
    fill_in(fast, slab, class_index, pages, page_count, slot_count);
    fast_map_set_pages(fast, pages, page_count, slab);
    return slab;
}

/* Once half of the heap is used, the limit gets smaller with the memory that is left. */
static size_t most_bytes(const struct heap *heap)
{
    return smaller(heap->size_bytes, 2 * fast_core_room_bytes(heap)) / FAST_SLABS_IN_A_HEAP;
}

/* Return the number of pages that the class's blocks would fill to a third, up to a limit. */
static unsigned most_pages(const struct heap *heap, const struct fast_class *size_class)
{
    size_t bytes =
        ((size_t)size_class->slot_count + size_class->core_count) * size_class->stride_bytes * 3;
    bytes = smaller(bytes, most_bytes(heap));
    bytes = smaller(bytes, FAST_SLAB_PAGES * FAST_PAGE_BYTES);
    return bytes < FAST_PAGE_BYTES ? 1 : (unsigned)(bytes / FAST_PAGE_BYTES);
}

/* The length of a new slab. */
struct extent {
    unsigned page_count; /* 0: every length leaves too large a rest */
    unsigned slot_count;
};

/* Return this many pages, or fewer, down to half of them, if the rest at the slab's end is then
 * smaller. */
static struct extent best_extent(const struct fast_class *size_class, size_t class_index,
                                 unsigned most)
{
    struct extent best = {most, fast_class_slots_in(size_class, class_index, most)};
    for (unsigned pages = most - 1; pages > most / 2; pages--) {
        unsigned slot_count = fast_class_slots_in(size_class, class_index, pages);
        if (slot_count * best.page_count > best.slot_count * pages)
            best = (struct extent){pages, slot_count};
    }
    return best;
}

/* A medium class gets slots for twice as many blocks as it has, so that all of them soon lie in one
 * slab. A class with few blocks gets half of what the memory allows.
 * Measured: if it gets all of that, 4 MiB with sizes up to 16 KiB are used to 94 % instead of 96.
 * No page if two slots are too large a part of the memory. The last page has a part of one. */
static struct extent choose_medium_extent(const struct heap *heap,
                                          const struct fast_class *size_class, size_t class_index)
{
    const size_t longest =
        FAST_MEDIUM_PAGES * FAST_PAGE_BYTES - FAST_PAGES_LOSS_BYTES - FAST_GUARD_BYTES;
    size_t most = (uint32_t)smaller(most_bytes(heap), longest) / size_class->stride_bytes;
    size_t wanted = larger(smaller(MEDIUM_SLOTS, most / 2),
                           2 * (size_class->slot_count + size_class->core_count));
    size_t bytes = FAST_GUARD_BYTES + smaller(wanted, most) * size_class->stride_bytes;
    if (most < 2)
        return (struct extent){0, 0};
    unsigned pages = (unsigned)((bytes + FAST_PAGES_LOSS_BYTES - 1) / FAST_PAGE_BYTES + 1);
    return (struct extent){pages, fast_class_slots_in(size_class, class_index, pages)};
}

static struct extent choose_extent(const struct heap *heap, const struct fast_class *size_class,
                                   size_t class_index)
{
    if (fast_class_is_medium(class_index))
        return choose_medium_extent(heap, size_class, class_index);
    struct extent best = best_extent(size_class, class_index, most_pages(heap, size_class));
    size_t slab_bytes = best.page_count * FAST_PAGE_BYTES;
    size_t loss_bytes = slab_bytes - (size_t)best.slot_count * size_class->stride_bytes;
    if (loss_bytes * LOSS_IN_SLAB <= slab_bytes || fast_class_is_dense(class_index) ||
        (size_class->slot_count == 0 && loss_bytes <= fast_core_room_bytes(heap) / LOSS_IN_ROOM))
        return best;
    return (struct extent){0, 0};
}

void fast_slab_prepare(struct heap *heap, const struct fast_slab *current)
{
    const struct fast_state *fast = fast_of(heap);
    if (fast->map_block == NULL)
        return;
    if (fast->spare_leaf_count < FAST_SLAB_LEAVES)
        (void)fast_map_prepare(heap, false);
    else if (!fast_record_is_ready(fast, current->slot_count))
        fast_record_create(heap, current->slot_count, false);
    else if (fast->records.surplus != NULL || fast->spare_leaf_count > FAST_SLAB_LEAVES)
        fast_slab_release_surplus(heap, true);
}

bool fast_slab_open(struct heap *heap, size_t class_index, size_t size_bytes, bool may_grow)
{
    struct fast_class *size_class = &fast_of(heap)->classes[class_index];
    struct extent extent = choose_extent(heap, size_class, class_index);
    if (extent.page_count == 0 || heap->limit_bytes < SLABS_FROM_BYTES ||
        !(fast_map_is_prepared(fast_of(heap)) || fast_map_prepare(heap, may_grow)))
        return false;
    if (!fast_record_is_ready(fast_of(heap), extent.slot_count)) {
        fast_record_create(heap, extent.slot_count, may_grow);
        return false;
    }
    struct fast_slab *slab =
        build_slab(heap, class_index, extent.page_count, extent.slot_count, may_grow);
    if (slab == NULL && extent.page_count > 1 && !heap->is_corrupt &&
        !fast_class_is_medium(class_index))
        slab = build_slab(heap, class_index, 1, fast_class_slots_in(size_class, class_index, 1),
                          may_grow);
    if (slab == NULL)
        return false;
    fast_class_count_opened(heap, size_class, slab, size_bytes);
    fast_class_begin(fast_of(heap), slab);
    return true;
}

/* --- Closing ---------------------------------------------------------------------------------- */

static uint8_t *pages_of(const struct fast_slab *slab)
{
    return slab->slots - fast_class_first_bytes(slab->class_index);
}

static void close_slab(struct heap *heap, struct fast_slab *slab)
{
    struct fast_state *fast = fast_of(heap);
    struct fast_class *size_class = &fast->classes[slab->class_index];
    uint8_t *pages = pages_of(slab);
    if (fast->current[slab->class_index] == slab)
        fast->current[slab->class_index] = &fast_no_slab;
    else
        fast_class_remove(fast, slab);
    fast_class_count_closed(heap, size_class, slab);
    unsigned page_count = slab->page_count;
    bool has_unused_leaf = fast_map_clear_pages(fast, pages, page_count, slab);
    fast_tombstone_write(fast, pages, slab);
    fast_own_release(heap, pages);
    fast_record_release(heap, slab);
    if (has_unused_leaf)
        fast_map_drop_unused_leaves(heap, pages, page_count);
}

/* If little memory is left, the heap may keep only one empty slab, since a request that finds no
 * memory closes all of them. */
static bool has_too_many_empty(const struct heap *heap)
{
    return fast_of(heap)->empty[1] != NULL && fast_slab_memory_is_scarce(heap);
}

/* Make the slab the newest of the empty ones. Return the one that no longer is among them, or NULL.
 * NULL of an unused place moves like a slab. */
static struct fast_slab *add_empty(struct fast_state *fast, struct fast_slab *slab)
{
    struct fast_slab *newest = slab;
    for (unsigned i = 0; i < FAST_EMPTY_SLABS; i++) {
        struct fast_slab *older = fast->empty[i];
        fast->empty[i] = newest;
        newest = older;
        if (newest == slab)
            return NULL;
    }
    return newest;
}

/* A slab has become empty. If there are then too many, the oldest is closed, unless it has blocks
 * again. */
static void keep_empty(struct heap *heap, struct fast_slab *slab)
{
    struct fast_state *fast = fast_of(heap);
    struct fast_slab *oldest = add_empty(fast, slab);
    if (oldest != NULL && fast_slab_is_empty(oldest))
        close_slab(heap, oldest);
    else if (!has_too_many_empty(heap) || !fast_slab_flush_one(heap))
        return;
    heap_end_give_back(heap);
    fast_absent_discard_surplus(heap);
}

static __attribute__((noinline)) void record_overrun(struct heap *heap,
                                                     const struct fast_slab *slab)
{
    const struct heap_fault fault = {
        .kind = HEAP_FAULT_OVERRUN,
        .detail = "the bytes before a slab's first block were overwritten",
        .pointer = slab->slots,
        .block = slab->slots,
    };
    (void)heap_fault_record(heap, &fault);
}

/* The usual free compares only the mark at the guard's end. All of the guard is read here. */
static __attribute__((noinline)) void relist_empty(struct heap *heap, struct fast_slab *slab)
{
    if (fast_slot_guard_is_intact(fast_of(heap), slab))
        keep_empty(heap, slab);
    else
        record_overrun(heap, slab);
}

void fast_slab_relist(struct heap *heap, struct fast_slab *slab)
{
    struct fast_state *fast = fast_of(heap);
    if (!fast_slab_is_sound(fast, slab)) {
        (void)sealed_record_corrupt(heap, (const uint8_t *)slab);
        return;
    }
    unsigned live_count = slab->is_full ? slab->slot_count - 1 : fast_class_floor(slab);
    if (live_count == 0) {
        relist_empty(heap, slab);
        return;
    }
    if (!slab->is_full)
        fast_class_remove(fast, slab);
    fast_class_add(fast, slab, live_count);
    fast_slab_release_surplus(heap, true);
}

void fast_slab_forget_empty(struct fast_state *fast, const struct fast_slab *slab)
{
    unsigned count = 0;
    for (unsigned i = 0; i < FAST_EMPTY_SLABS; i++) {
        struct fast_slab *kept = fast->empty[i];
        fast->empty[i] = NULL;
        if (kept != NULL && kept != slab)
            fast->empty[count++] = kept;
    }
}

bool fast_slab_flush_for(struct heap *heap, size_t units)
{
    struct fast_state *fast = fast_of(heap);
    for (unsigned i = FAST_EMPTY_SLABS; i-- > 0;) {
        struct fast_slab *slab = fast->empty[i];
        if (slab == NULL || !fast_slab_is_empty(slab) ||
            fast_core_reach_units(&fast->core, pages_of(slab)) < units)
            continue;
        fast_slab_forget_empty(fast, slab);
        close_slab(heap, slab);
        return true;
    }
    return false;
}

bool fast_slab_flush_one(struct heap *heap)
{
    struct fast_state *fast = fast_of(heap);
    for (unsigned i = FAST_EMPTY_SLABS; i-- > 0 && !heap->is_corrupt;) {
        struct fast_slab *slab = fast->empty[i];
        fast->empty[i] = NULL;
        if (slab == NULL || !fast_slab_is_empty(slab))
            continue;
        close_slab(heap, slab);
        return true;
    }
    if (heap->is_corrupt)
        return false;
    if (fast_record_release_unused(heap))
        return true;
    if (fast->spare_leaf_count == 0)
        return fast_map_drop_if_unused(heap);
    fast_map_release_spare(heap);
    return true;
}

void fast_slab_flush(struct heap *heap)
{
    while (fast_slab_flush_one(heap))
        continue;
}

bool fast_slab_memory_is_scarce(const struct heap *heap)
{
    return fast_core_room_bytes(heap) < heap->limit_bytes / SCARCE_PART;
}
