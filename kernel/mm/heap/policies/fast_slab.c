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

_Static_assert(FAST_MEDIUM_PAGES <= FAST_PAGE_COUNT_MASK, "pages are counted in 4 bits");
_Static_assert(FAST_SLAB_PAGES *FAST_PAGE_BYTES / 16 <= UINT16_MAX, "slots are counted in 16 bits");

/* --- Records ---------------------------------------------------------------------------------- */

/* The members that do not change, in words. In the words before them, no member changes. */
struct constants {
    uint64_t marks;
    uint64_t lengths;
    uint64_t kind;
};
#define CONSTANTS_OFFSET offsetof(struct fast_slab, mark)
/* The kind is the half word from `least_bytes` on, without the flags behind `page_count`. */
#define KIND_BITS UINT64_C(0x0fffffff00000000)
_Static_assert(offsetof(struct fast_slab, mark_before) == CONSTANTS_OFFSET + 4 &&
                   offsetof(struct fast_slab, end_byte) == CONSTANTS_OFFSET + 8 &&
                   offsetof(struct fast_slab, slot_count) == CONSTANTS_OFFSET + 12 &&
                   offsetof(struct fast_slab, stride_bytes) == CONSTANTS_OFFSET + 14 &&
                   offsetof(struct fast_slab, used_count) == CONSTANTS_OFFSET + 16 &&
                   offsetof(struct fast_slab, reached_count) == CONSTANTS_OFFSET + 18 &&
                   offsetof(struct fast_slab, least_bytes) == CONSTANTS_OFFSET + 20 &&
                   offsetof(struct fast_slab, class_index) == CONSTANTS_OFFSET + 22,
               "the seal covers these members as three words");

/* The mark is in both halves of its word, so another word in one half leaves nothing out. */
static inline uint64_t seal_of(const struct fast_state *fast, const struct fast_slab *slab,
                               const uint8_t *slots, const struct constants *constants)
{
    struct heap_key key = fast->core.secret.headers;
    uint64_t state = heap_hash_add(key, 0, (uintptr_t)slab, (uintptr_t)slots);
    return heap_hash_end(key,
                         heap_hash_add(key, state, constants->marks ^ (constants->kind & KIND_BITS),
                                       constants->lengths));
}

static inline struct constants read_constants(const struct fast_slab *slab)
{
    struct constants constants;
    __builtin_memcpy(&constants, (const uint8_t *)slab + CONSTANTS_OFFSET, sizeof constants);
    return constants;
}

bool fast_slab_is_sound(const struct fast_state *fast, const struct fast_slab *slab)
{
    if (!fast_slab_is_inside(fast, slab))
        return false;
    const struct constants constants = read_constants(slab);
    return slab->mark == slab->mark_before &&
           slab->seal == seal_of(fast, slab, slab->slots, &constants);
}

/* --- Opening ---------------------------------------------------------------------------------- */

/* The length of a new slab. */
struct extent {
    unsigned page_count; /* 0: every length leaves too large a rest */
    unsigned slot_count;
};

/* In a medium slab all marks are set, too. */
static inline void make_all_free(struct fast_slab *slab, size_t class_index, unsigned slot_count)
{
    uint64_t *free = slab->free;
    uint64_t *marks = free + fast_slab_word_count(slot_count);
    uint64_t *free_end = marks;
    uint64_t mark_word = fast_class_is_medium(class_index) ? UINT64_MAX : 0;
#pragma clang loop unroll(disable)
    do {
        *free++ = UINT64_MAX;
        *marks++ = mark_word;
    } while (free != free_end);
}

/* The members of a new slab, of which one slot is reached: the one that the caller takes. */
static inline struct constants make_constants(const struct fast_class *size_class,
                                              size_t class_index, struct extent extent)
{
    uint64_t mark = size_class->mark;
    uint64_t stride_bytes = size_class->stride_bytes;
    int32_t end_byte = fast_slot_end_byte(size_class->mark, class_index, stride_bytes);
    return (struct constants){
        .marks = mark << 32 | mark,
        .lengths = stride_bytes << 48 | (uint64_t)extent.slot_count << 32 | (uint32_t)end_byte,
        .kind = (uint64_t)extent.page_count << 56 | (uint64_t)class_index << 48 |
                (stride_bytes - SEALED_UNIT_BYTES) << 32 | 1u << 16,
    };
}

/* The members are written as words, as they are read for the seal. A CPU waits if it reads a word
 * whose parts it has only just written. */
static inline void fill_in(const struct fast_state *fast, struct fast_slab *slab,
                           size_t class_index, uint8_t *pages, struct extent extent)
{
    const struct fast_class *size_class = &fast->classes[class_index];
    const struct constants constants = make_constants(size_class, class_index, extent);
    uint8_t *slots = pages + fast_class_first_bytes(class_index);
    slab->slots = slots;
    slab->reciprocal = size_class->reciprocal;
    slab->padded_reciprocal = class_index < FAST_PADDED_CLASSES ? size_class->reciprocal : 0;
    __builtin_memcpy((uint8_t *)slab + CONSTANTS_OFFSET, &constants, sizeof constants);
    slab->word = slab->free;
    slab->word_slots = slots;
    slab->unready = UINT64_MAX << 1;
    slab->seal = seal_of(fast, slab, slots, &constants);
    make_all_free(slab, class_index, extent.slot_count);
    if (!fast_class_is_dense(class_index))
        fast_slot_write_guard(fast, slots, size_class->mark);
}

/* True if fast_slab_release_surplus() would free something and keep some. */
static inline bool has_surplus(const struct fast_state *fast)
{
    return fast->records.surplus != NULL || fast->spare_leaf_count > FAST_SLAB_LEAVES;
}

void fast_slab_release_surplus(struct heap *heap, bool keeps_some)
{
    if (keeps_some ? fast_record_release_surplus(heap) : fast_record_release_unused(heap))
        return;
    if (fast_of(heap)->spare_leaf_count > (keeps_some ? FAST_SLAB_LEAVES : 0))
        fast_map_release_spare(heap);
}

/* The core uses the rest behind the last slot. While there are dissolved slabs, that page might
 * have a piece of one, so the slab then takes all of it. */
static inline size_t pages_bytes(const struct fast_state *fast, size_t class_index,
                                 struct extent extent)
{
    if (fast->dissolved != NULL)
        return extent.page_count * FAST_PAGE_BYTES - FAST_PAGES_LOSS_BYTES;
    return fast_class_first_bytes(class_index) +
           (size_t)extent.slot_count * fast->classes[class_index].stride_bytes;
}

static __attribute__((noinline)) void give_up_pages(struct heap *heap, uint8_t *pages,
                                                    unsigned page_count, struct fast_slab *slab)
{
    if (slab != NULL)
        fast_record_release(heap, slab);
    fast_map_drop_unused_leaves(heap, pages, page_count);
    fast_own_release(heap, pages);
}

/* Create the pages, and take a record. NULL: it failed and kept nothing. */
static inline struct fast_slab *build_slab(struct heap *heap, size_t class_index,
                                           struct extent extent, bool may_grow)
{
    struct fast_state *fast = fast_of(heap);
    const struct heap_request request = {.size_bytes = pages_bytes(fast, class_index, extent),
                                         .alignment_bytes = FAST_PAGE_BYTES};
    uint8_t *pages = fast_own_take_aligned(heap, FAST_OWN_PAGES, &request,
                                           sealed_units_for(request.size_bytes), may_grow);
    if (pages == NULL)
        return NULL;
    struct fast_slab *slab = fast_record_take(heap, extent.slot_count);
    if (slab != NULL) {
        fill_in(fast, slab, class_index, pages, extent);
        if (fast_map_enter(heap, pages, extent.page_count, slab, may_grow))
            return slab;
    }
    give_up_pages(heap, pages, extent.page_count, slab);
    return NULL;
}

/* Once half of the heap is used, the limit gets smaller with the memory that is left. */
static size_t most_bytes(const struct heap *heap)
{
    return smaller(heap->size_bytes, 2 * fast_core_room_bytes(heap)) / FAST_SLABS_IN_A_HEAP;
}

/* Return the number of pages that the class's blocks would fill to a third, up to a limit. Most
 * classes have so few blocks that one page is enough. Then the limit is not computed. */
static inline unsigned most_pages(const struct heap *heap, const struct fast_class *size_class)
{
    size_t bytes =
        ((size_t)size_class->slot_count + size_class->core_count) * size_class->stride_bytes * 3;
    if (bytes < 2 * FAST_PAGE_BYTES)
        return 1;
    bytes = smaller(bytes, most_bytes(heap));
    bytes = smaller(bytes, FAST_SLAB_PAGES * FAST_PAGE_BYTES);
    return bytes < FAST_PAGE_BYTES ? 1 : (unsigned)(bytes / FAST_PAGE_BYTES);
}

/* Return this many pages, or fewer, down to half of them, if the rest at the slab's end is then
 * smaller. */
static inline struct extent best_extent(const struct fast_class *size_class, size_t class_index,
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
 * slab. A class with few blocks gets half of the slots for which there is memory. No page if two
 * slots are too large a part of the memory. The core has the rest of the last page.
 * Measured: if a class with few blocks gets all of that, 4 MiB with sizes up to 16 KiB are used to
 * 94 % instead of 96. */
static struct extent choose_medium_extent(const struct heap *heap,
                                          const struct fast_class *size_class, size_t class_index)
{
    const size_t longest =
        FAST_MEDIUM_PAGES * FAST_PAGE_BYTES - FAST_PAGES_LOSS_BYTES - FAST_GUARD_BYTES;
    size_t most = smaller(most_bytes(heap), longest) * size_class->reciprocal >> 32;
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
    else if (has_surplus(fast))
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
    struct fast_slab *slab;
    while ((slab = build_slab(heap, class_index, extent, may_grow)) == NULL) {
        if (extent.page_count == 1 || heap->is_corrupt || fast_class_is_medium(class_index))
            return false;
        extent = (struct extent){1, fast_class_slots_in(size_class, class_index, 1)};
    }
    fast_class_count_opened(heap, size_class, slab, size_bytes);
    fast_of(heap)->current[class_index] = slab;
    return true;
}

/* --- Closing ---------------------------------------------------------------------------------- */

static uint8_t *pages_of(const struct fast_slab *slab)
{
    return slab->slots - fast_class_first_bytes(slab->class_index);
}

/* From now on no class allocates from the slab. False: its record was overwritten, and the fault is
 * recorded. */
static bool leave_class(struct heap *heap, struct fast_slab *slab)
{
    struct fast_state *fast = fast_of(heap);
    if (!fast_slab_is_sound(fast, slab))
        return sealed_record_corrupt(heap, (const uint8_t *)slab);
    if (fast->current[slab->class_index] != slab)
        return fast_class_remove(heap, slab);
    fast->current[slab->class_index] = &fast_no_slab;
    return true;
}

/* In a corrupt heap this does nothing. */
static void close_slab(struct heap *heap, struct fast_slab *slab)
{
    struct fast_state *fast = fast_of(heap);
    if (!leave_class(heap, slab))
        return;
    struct fast_class *size_class = &fast->classes[slab->class_index];
    uint8_t *pages = pages_of(slab);
    fast_class_count_closed(heap, size_class, slab);
    unsigned page_count = slab->page_count;
    bool has_unused_leaf = fast_map_clear_pages(fast, pages, page_count, slab);
    fast_tombstone_write(fast, pages, slab);
    fast_own_release(heap, pages);
    fast_record_release(heap, slab);
    if (has_unused_leaf)
        fast_map_drop_unused_leaves(heap, pages, page_count);
}

/* If memory is short, the heap may keep only one empty slab. Few classes open a slab then, and others
 * would only leave smaller places for the blocks of the core. */
static bool has_too_many_empty(const struct heap *heap)
{
    return fast_of(heap)->empty[1] != NULL && fast_slab_memory_is_short(heap);
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

/* Add the slab to the empty ones. If there are then too many, return the one to be closed: the
 * oldest, or this one if it is not the current one of its class. That class has another slab, most
 * often. NULL also if the oldest has blocks again.
 * Measured: if it is always the oldest, the workload sawtooth takes 101 instructions instead of
 * 95. */
static struct fast_slab *choose_closed(struct fast_state *fast, struct fast_slab *slab)
{
    struct fast_slab *oldest = add_empty(fast, slab);
    if (oldest == NULL || !fast_slab_is_empty(oldest))
        return NULL;
    if (fast->current[slab->class_index] == slab)
        return oldest;
    fast->empty[0] = oldest; /* it takes the place of this slab, and counts as the newest */
    return slab;
}

/* A slab has become empty. */
static void keep_empty(struct heap *heap, struct fast_slab *slab)
{
    struct fast_slab *closed = choose_closed(fast_of(heap), slab);
    if (closed != NULL)
        close_slab(heap, closed);
    else if (!has_too_many_empty(heap) || !fast_slab_flush_one(heap))
        return;
    if (heap->pages.shrink != NULL)
        heap_end_give_back(heap);
    if (heap->pages.discard != NULL)
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

/* The slab was full, or has become sparse. */
static __attribute__((noinline)) void relist_used(struct heap *heap, struct fast_slab *slab,
                                                  unsigned live_count)
{
    struct fast_state *fast = fast_of(heap);
    if (!slab->is_full && !fast_class_remove(heap, slab))
        return;
    fast_class_add(fast, slab, live_count);
    if (has_surplus(fast))
        fast_slab_release_surplus(heap, true);
}

void fast_slab_relist(struct heap *heap, struct fast_slab *slab)
{
    if (!fast_slab_is_sound(fast_of(heap), slab)) {
        (void)sealed_record_corrupt(heap, (const uint8_t *)slab);
        return;
    }
    unsigned live_count = slab->is_full ? slab->slot_count - 1 : fast_class_floor(slab);
    if (live_count == 0)
        relist_empty(heap, slab);
    else
        relist_used(heap, slab, live_count);
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

/* False if no slab is so long with the free blocks before and behind it. One of these would have at
 * least half of what the longest slab leaves. */
static bool slab_may_reach(const struct fast_core *core, size_t units)
{
    const size_t longest_units = FAST_MEDIUM_PAGES * FAST_PAGE_BYTES / SEALED_UNIT_BYTES;
    return units <= longest_units || fast_core_may_have_room(core, (units - longest_units) / 2);
}

bool fast_slab_flush_for(struct heap *heap, size_t units)
{
    struct fast_state *fast = fast_of(heap);
    if (!slab_may_reach(&fast->core, units))
        return false;
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
    unsigned place_count = fast->empty[0] != NULL ? FAST_EMPTY_SLABS : 0; /* there is no gap */
    for (unsigned i = place_count; i-- > 0 && !heap->is_corrupt;) {
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
