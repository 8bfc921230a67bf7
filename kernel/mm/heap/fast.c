/*
 * Slabs for small blocks, caches of exact sizes for middle ones, and under both the segregated free
 * lists of fast_core.c. Every operation takes constant time.
 *
 * A slab is a page of slots of one size. Pages come in groups of 8, each group one block of the
 * core, aligned to its size. What is known of the pages lies apart from them, side by side:
 *
 *   struct fast_group          8 pages
 *   | pages in use |           | slots of 32 | slots of 80 | slots of 80 | not in use | …
 *   | struct fast_slab 0…7  |    page 0        page 1        page 2        page 3
 *
 * (Kept in the pages themselves it would compete for the same few lines of every cache, since all
 * pages begin at multiples of 4096.) A map finds the group of an address.
 *
 * A slab has a bit for each slot, which is set while that holds a live block. An allocation is a
 * scan for the lowest slot without one; a free divides to find the slot, and proves by the rest and
 * the bit that it was given a live block's first byte.
 *
 *   | guard | slot 0        | slot 1        | slot 2        |…
 *     16 B    payload |c..k|  payload   |c.k|
 *
 * A padded slot is longer than what was asked for: c, the first byte behind it, is SEALED_CANARY,
 * and k, the slot's last one, is a canary, too, and holds the low 4 bits of the size. (With all of
 * them set both are the same byte.)
 *
 * Sizes that are multiples of 16 pay 16 bytes for that. Once there are many such slots, memory
 * counts more: further blocks of exactly such a size go to dense slabs, without guard and canaries.
 * They alone can be overrun without notice; double and interior frees are still found exactly.
 *
 * A class that has only a few live blocks does not get a slab: the core serves it.
 */
#include "kernel/mm/heap/fast_core.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"

#define PAGE_BYTES  ((size_t)4096)
#define PAGE_UNITS  ((unsigned)(PAGE_BYTES / SEALED_UNIT_BYTES))
#define GROUP_PAGES 8u
#define GROUP_BYTES (GROUP_PAGES * PAGE_BYTES)
/* The last 8 bytes of a group are the header of the block behind it. */
#define LAST_PAGE_BYTES (PAGE_BYTES - SEALED_HEADER_BYTES)

/* The map has 8 bytes for each 32 KiB of the heap. Beyond this the core serves all sizes. */
#define MAPPED_BYTES_MAX ((size_t)1 << 30)
/* In a heap below this a group would be too large a part. */
#define SLABS_FROM_BYTES ((size_t)512 * 1024)

#define PADDED_SIZE_MAX ((size_t)FAST_PADDED_CLASSES * 16 - 1)
#define DENSE_SIZE_MAX  ((size_t)FAST_DENSE_CLASSES * 16)
#define GUARD_BYTES     16u

/* A hole below this is of use to small sizes alone. */
#define HOLE_UNITS (FAST_PADDED_CLASSES + 2)

/* The last byte of a slot holds this and 4 bits of the size; with all of them set, SEALED_CANARY.
 */
#define END_MARK 0xb0u

/* From so many slots on a class is a mass population, whose memory counts more than its canaries:
 * each of them costs up to 16 bytes. */
#define MASS_SLOT_COUNT 256

/* Groups without a slab that are kept, so that a program that goes up and down across the end of
 * one does not merge and split its memory each time. */
#define EMPTY_GROUPS_KEPT 8

struct fast_slab {
    uint64_t live[FAST_SLAB_WORDS]; /* bit i of word w: slot 64 w + i holds a live block */
    struct fast_slab *next;         /* on the class's list */
    struct fast_slab *previous;
    uint32_t reciprocal; /* as fast_class.reciprocal */
    uint16_t stride_bytes;
    uint16_t used_count; /* 1 if it is full; counts nothing while it is current */
    bool is_full;        /* … and therefore on no list */
    uint8_t first_bytes; /* from the page's start to slot 0; 0 in dense slabs */
    uint8_t class_index; /* NO_CLASS: the page is no slab */
    uint8_t page_number; /* in its group */
};

#define NO_CLASS FAST_CLASS_COUNT
/* No page has so many slots. */
#define NO_SLOT 255

_Static_assert(sizeof(struct fast_slab) == 64 && sizeof(struct fast_class) == 64,
               "a line of the cache each, found by a shift");

struct fast_group {
    struct fast_group *next; /* on the list of those with unused pages */
    struct fast_group *previous;
    uint8_t *pages;
    uint32_t unused; /* bit n: page n is no slab */
    struct fast_slab slabs[GROUP_PAGES];
};

#define ALL_UNUSED ((1u << GROUP_PAGES) - 1)

/* The word of a class that has no slab. Never written: its mask is 0. */
static const uint64_t no_live_block = 0;

/* --- Slabs: geometry -------------------------------------------------------------------------- */

static inline bool is_dense(unsigned class_index)
{
    return class_index >= FAST_PADDED_CLASSES;
}

static struct fast_group *group_of(struct fast_slab *slab)
{
    return (struct fast_group *)(void *)((uint8_t *)(slab - slab->page_number) -
                                         offsetof(struct fast_group, slabs));
}

static uint8_t *slot_at(const struct fast_slab *slab, unsigned index)
{
    return group_of((struct fast_slab *)(uintptr_t)slab)->pages + slab->page_number * PAGE_BYTES +
           slab->first_bytes + index * slab->stride_bytes;
}

static unsigned slot_count_of(const struct fast_class *class, const struct fast_slab *slab)
{
    return class->slot_count[slab->page_number == GROUP_PAGES - 1];
}

/* The slab in whose page `address` lies, used or not; NULL if it is in no group. */
static inline struct fast_slab *slab_of(const struct fast_state *fast, uintptr_t address)
{
    uintptr_t offset = address - fast->group_floor;
    if (offset / GROUP_BYTES >= fast->group_limit)
        return NULL;
    struct fast_slab *slabs = fast->map[offset / GROUP_BYTES];
    if (slabs == NULL)
        return NULL;
    return slabs + offset / PAGE_BYTES % GROUP_PAGES;
}

static void forget_current(struct fast_class *class)
{
    class->slab = NULL;
    class->live = (uint64_t *)(uintptr_t)&no_live_block;
    class->mask = 0;
}

static void initialise_class(struct fast_class *class, unsigned index)
{
    size_t first_bytes = is_dense(index) ? 0 : GUARD_BYTES;
    class->stride_bytes = 16 * (is_dense(index) ? index + 1 - FAST_PADDED_CLASSES : index + 1);
    class->reciprocal = UINT32_MAX / class->stride_bytes + 1;
    class->slot_count[0] = (uint16_t)((PAGE_BYTES - first_bytes) / class->stride_bytes);
    class->slot_count[1] = (uint16_t)((LAST_PAGE_BYTES - first_bytes) / class->stride_bytes);
    forget_current(class);
}

/* --- Groups ----------------------------------------------------------------------------------- */

static void group_push(struct fast_state *fast, struct fast_group *group)
{
    group->next = fast->groups;
    group->previous = NULL;
    if (fast->groups != NULL)
        fast->groups->previous = group;
    fast->groups = group;
}

static void group_remove(struct fast_state *fast, const struct fast_group *group)
{
    if (group->previous != NULL)
        group->previous->next = group->next;
    else
        fast->groups = group->next;
    if (group->next != NULL)
        group->next->previous = group->previous;
}

/* Memory for the policy itself. NULL if there is none, or something was found corrupt. */
static void *take_own(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                      const void *caller)
{
    const struct heap_request request = {size_bytes, alignment_bytes, caller};
    size_t units = fast_units_for(size_bytes);
    uint64_t header;
    uint8_t *block = fast_core_take(heap, units, alignment_bytes, caller, &header);
    if (block == NULL && !heap->condemned && heap_grow_for(heap, &request))
        block = fast_core_take(heap, units, alignment_bytes, caller, &header);
    if (block != NULL)
        sealed_write_header(heap->fast.core.secret, block, header ^ SEALED_LIVE ^ SEALED_OWN);
    return block;
}

static void release_own(struct heap *heap, void *block, const void *caller)
{
    uint64_t header;
    if (!sealed_read_header(heap->fast.core.secret, block, &header))
        (void)sealed_corrupt(heap, block, caller);
    else
        (void)fast_core_release(heap, block, header, caller);
}

static bool make_map(struct heap *heap, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    size_t bytes = heap->configuration.limit_bytes;
    if (bytes < SLABS_FROM_BYTES)
        return false;
    size_t length = (bytes < MAPPED_BYTES_MAX ? bytes : MAPPED_BYTES_MAX) / GROUP_BYTES + 1;
    fast->map = take_own(heap, length * sizeof(struct fast_slab *), SEALED_UNIT_BYTES, caller);
    if (fast->map == NULL)
        return false;
    for (size_t i = 0; i < length; i++)
        fast->map[i] = NULL;
    fast->group_limit = length;
    return true;
}

static bool open_group(struct heap *heap, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    if (fast->map == NULL && !make_map(heap, caller))
        return false;
    uint8_t *pages = take_own(heap, GROUP_BYTES - SEALED_HEADER_BYTES, GROUP_BYTES, caller);
    if (pages == NULL)
        return false;
    size_t number = ((uintptr_t)pages - fast->group_floor) / GROUP_BYTES;
    struct fast_group *group = NULL;
    if (number < fast->group_limit)
        group = take_own(heap, sizeof *group, SEALED_UNIT_BYTES, caller);
    if (group == NULL) {
        release_own(heap, pages, caller);
        return false;
    }
    group->pages = pages;
    group->unused = ALL_UNUSED;
    for (unsigned n = 0; n < GROUP_PAGES; n++)
        group->slabs[n] = (struct fast_slab){.class_index = NO_CLASS, .page_number = (uint8_t)n};
    fast->map[number] = group->slabs;
    fast->group_count++;
    fast->empty_group_count++;
    group_push(fast, group);
    return true;
}

static void close_group(struct heap *heap, struct fast_group *group, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    fast->map[((uintptr_t)group->pages - fast->group_floor) / GROUP_BYTES] = NULL;
    fast->group_count--;
    fast->empty_group_count--;
    group_remove(fast, group);
    release_own(heap, group->pages, caller);
    if (!heap->condemned)
        release_own(heap, group, caller);
}

/* --- Slabs: opening and closing --------------------------------------------------------------- */

/* Let the class allocate from the slab's first word that has a free slot. False if none has. */
static inline bool make_current(struct fast_class *class, struct fast_slab *slab)
{
    unsigned count = slot_count_of(class, slab);
    for (unsigned w = 0; w * 64 < count; w++) {
        uint64_t mask = count - w * 64 >= 64 ? UINT64_MAX : (UINT64_C(1) << (count - w * 64)) - 1;
        if ((mask & ~slab->live[w]) != 0) {
            class->live = &slab->live[w];
            class->mask = mask;
            class->slots = slot_at(slab, w * 64);
            class->slab = slab;
            return true;
        }
    }
    return false;
}

static void list_push(struct fast_class *class, struct fast_slab *slab)
{
    slab->next = class->partial;
    slab->previous = NULL;
    if (class->partial != NULL)
        class->partial->previous = slab;
    class->partial = slab;
}

static void list_remove(struct fast_class *class, const struct fast_slab *slab)
{
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        class->partial = slab->next;
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
}

static bool is_mass(const struct fast_class *class)
{
    return class->slab_count * class->slot_count[0] >= MASS_SLOT_COUNT;
}

/* Blocks of exactly the padded class's least size go to dense slabs as long as it is mass. */
static void choose_class(struct fast_state *fast, unsigned padded)
{
    if (padded == 0 || padded > FAST_DENSE_CLASSES)
        return;
    bool dense = is_mass(&fast->classes[padded]);
    fast->class_of[padded * 16] = (uint8_t)(dense ? FAST_PADDED_CLASSES - 1 + padded : padded);
}

static void count_slab(struct fast_state *fast, unsigned class_index, uint32_t change)
{
    fast->classes[class_index].slab_count += change;
    if (!is_dense(class_index))
        choose_class(fast, class_index);
}

static bool open_slab(struct heap *heap, struct fast_class *class, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    if (fast->groups == NULL && !open_group(heap, caller))
        return false;
    struct fast_group *group = fast->groups;
    struct fast_slab *slab = &group->slabs[__builtin_ctz(group->unused)];
    if (group->unused == ALL_UNUSED)
        fast->empty_group_count--;
    group->unused &= group->unused - 1;
    if (group->unused == 0)
        group_remove(fast, group);

    slab->reciprocal = class->reciprocal;
    slab->stride_bytes = (uint16_t) class->stride_bytes;
    slab->class_index = (uint8_t)(class - fast->classes);
    slab->first_bytes = is_dense(slab->class_index) ? 0 : GUARD_BYTES;
    if (slab->first_bytes != 0)
        slot_at(slab, 0)[-1] = SEALED_CANARY;
    count_slab(fast, slab->class_index, 1);
    return make_current(class, slab);
}

/* Its slots are free, and it is on no list. */
static void close_slab(struct heap *heap, struct fast_slab *slab, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    struct fast_group *group = group_of(slab);
    count_slab(fast, slab->class_index, UINT32_MAX);
    slab->class_index = NO_CLASS;
    if (group->unused == 0)
        group_push(fast, group);
    group->unused |= 1u << slab->page_number;
    if (group->unused != ALL_UNUSED)
        return;
    fast->empty_group_count++;
    if (fast->empty_group_count > EMPTY_GROUPS_KEPT)
        close_group(heap, group, caller);
}

/* The slab's count is 0: it was full, or has become empty; or it is current, and stays that. */
static __attribute__((noinline)) void settle(struct heap *heap, struct fast_slab *slab,
                                             const void *caller)
{
    struct fast_class *class = &heap->fast.classes[slab->class_index];
    if (class->slab == slab)
        return;
    if (slab->is_full) {
        slab->used_count = (uint16_t)(slot_count_of(class, slab) - 1);
        slab->is_full = false;
        list_push(class, slab);
    }
    if (slab->used_count == 0) {
        list_remove(class, slab);
        close_slab(heap, slab, caller);
    }
}

/* The word that the class allocates from is used up: another word, or another slab. */
static inline bool refill(struct fast_class *class)
{
    struct fast_slab *slab = class->slab;
    if (slab != NULL) {
        if (make_current(class, slab))
            return true;
        slab->is_full = true;
        slab->used_count = 1;
        forget_current(class);
    }
    slab = class->partial;
    if (slab == NULL)
        return false;
    list_remove(class, slab);
    return make_current(class, slab);
}

/* --- Slots ------------------------------------------------------------------------------------ */

static inline bool has_slot(const struct fast_class *class)
{
    return (class->mask & ~*class->live) != 0;
}

/* Precondition: has_slot(). */
static inline uint8_t *take_slot(struct fast_class *class)
{
    uint64_t live = *class->live;
    uint64_t free = class->mask & ~live;
    unsigned index = (unsigned)__builtin_ctzll(free);
    *class->live = live | UINT64_C(1) << index;
    return class->slots + index * class->stride_bytes;
}

/* Precondition: size_bytes < stride_bytes <= size_bytes + 16. */
static inline void mark_end(uint8_t *slot, size_t stride_bytes, size_t size_bytes)
{
    slot[size_bytes] = SEALED_CANARY;
    slot[stride_bytes - 1] = (uint8_t)(END_MARK | (size_bytes & 15));
}

/* The low 4 bits of the size that mark_end() was told, from the last byte of a slot; more than 15
 * if that was overwritten. */
static inline unsigned read_mark(const uint8_t *slot_end)
{
    return (unsigned)slot_end[-1] ^ END_MARK;
}

/* The number of the slot that begins at the address. If none does, that of one which is not live.
 * Multiplying by 2^32 / stride leaves the quotient above the low 32 bits; what is left in these is
 * less than the factor exactly if the division has no rest (Lemire, Kaser and Kurz, "Faster
 * remainder by direct computation", 2019). */
static inline unsigned slot_index(const struct fast_slab *slab, const uint8_t *slot)
{
    unsigned offset = (unsigned)((uintptr_t)slot - slab->first_bytes) % PAGE_BYTES;
    uint64_t product = (uint64_t)offset * slab->reciprocal;
    return (uint32_t)product < slab->reciprocal ? (unsigned)(product >> 32) : NO_SLOT;
}

static inline bool is_live(const struct fast_slab *slab, unsigned index)
{
    return (slab->live[index / 64] >> index % 64 & 1) != 0;
}

static bool is_empty(const struct fast_slab *slab)
{
    return (slab->live[0] | slab->live[1] | slab->live[2] | slab->live[3]) == 0;
}

/* Of a slot, as it was asked for; what it was asked for last if it is free; 0 if its end was
 * overwritten. */
static size_t slot_size(const struct fast_slab *slab, const uint8_t *slot)
{
    if (is_dense(slab->class_index))
        return slab->stride_bytes;
    unsigned low_bits = read_mark(slot + slab->stride_bytes);
    return low_bits > 15 ? 0 : slab->stride_bytes - 16u + low_bits;
}

/* Always false. */
static bool report(struct heap *heap, enum heap_fault_kind kind, const uint8_t *block,
                   size_t size_bytes, const void *pointer, const void *caller, const char *detail)
{
    const struct heap_fault fault = {.kind = kind,
                                     .detail = detail,
                                     .pointer = pointer,
                                     .block = block,
                                     .is_free = block != NULL && kind == HEAP_FAULT_DOUBLE_FREE,
                                     .size_bytes = size_bytes,
                                     .caller = caller};
    heap_report(heap, &fault);
    return false;
}

/* Say exactly what is wrong with a pointer into a slab that was not proved. Always false. */
static __attribute__((noinline)) bool diagnose_slot(struct heap *heap, const struct fast_slab *slab,
                                                    const uint8_t *pointer, const void *caller)
{
    if (slab->class_index == NO_CLASS)
        return report(heap, HEAP_FAULT_DOUBLE_FREE, NULL, 0, pointer, caller,
                      "the pointer is into memory that was freed");
    ptrdiff_t offset = pointer - slot_at(slab, 0);
    unsigned index = (unsigned)offset / slab->stride_bytes;
    if (offset < 0 || index >= slot_count_of(&heap->fast.classes[slab->class_index], slab))
        return report(heap, HEAP_FAULT_BAD_POINTER, NULL, 0, pointer, caller,
                      "the pointer is into the heap's own memory");
    const uint8_t *slot = slot_at(slab, index);
    size_t size_bytes = slot_size(slab, slot);
    if (!is_live(slab, index))
        return report(heap, HEAP_FAULT_DOUBLE_FREE, slot, size_bytes, pointer, caller,
                      "the block is free already");
    if (slot != pointer)
        return report(heap, HEAP_FAULT_BAD_POINTER, slot, size_bytes, pointer, caller,
                      "the pointer is not the start of a block");
    if (read_mark(slot) > 15)
        return report(heap, HEAP_FAULT_OVERRUN, slot, size_bytes, pointer, caller,
                      "the byte before the block was overwritten");
    return report(heap, HEAP_FAULT_OVERRUN, slot, size_bytes, pointer, caller,
                  "the bytes behind the block were overwritten");
}

/* Prove that the canaries around a live slot are as they were left, and read its size. */
static inline bool slot_is_intact(const struct fast_slab *slab, const uint8_t *slot,
                                  size_t *ret_size_bytes)
{
    size_t size_bytes = slab->stride_bytes;
    if (slab->first_bytes != 0) {
        unsigned low_bits = read_mark(slot + size_bytes);
        size_bytes = size_bytes - 16 + low_bits;
        if ((low_bits | read_mark(slot)) > 15 || slot[size_bytes] != SEALED_CANARY)
            return false;
    }
    *ret_size_bytes = size_bytes;
    return true;
}

/* Prove that the pointer is a live block of the slab, and intact. False: it was reported. */
static bool prove_slot(struct heap *heap, const struct fast_slab *slab, const uint8_t *slot,
                       const void *caller, size_t *ret_size_bytes)
{
    unsigned index = slot_index(slab, slot);
    if (!is_live(slab, index) || !slot_is_intact(slab, slot, ret_size_bytes))
        return diagnose_slot(heap, slab, slot, caller);
    return true;
}

/* The parameters that fast_free() has, too, stand in the same order, so that none is moved. */
static __attribute__((noinline)) void free_slot(struct heap *heap, uint8_t *slot,
                                                const void *caller, struct fast_slab *slab)
{
    size_t size_bytes;
    unsigned index = slot_index(slab, slot);
    uint64_t live = slab->live[index / 64];
    if ((live >> index % 64 & 1) == 0 || !slot_is_intact(slab, slot, &size_bytes)) {
        (void)diagnose_slot(heap, slab, slot, caller);
        return;
    }
    slab->live[index / 64] = live ^ UINT64_C(1) << index % 64;
    heap_count_free(heap, size_bytes);
    if (--slab->used_count == 0)
        settle(heap, slab, caller);
}

/* --- Blocks of the core ----------------------------------------------------------------------- */

static __attribute__((noinline)) bool diagnose_block(struct heap *heap, const uint8_t *pointer,
                                                     const void *caller)
{
    const struct fast_core *core = &heap->fast.core;
    return sealed_diagnose(heap, core->secret, fast_first(core), core->end, pointer, caller);
}

static inline bool block_is_intact(const struct fast_core *core, const uint8_t *block,
                                   uint64_t *ret_header)
{
    return sealed_block_is_intact(core->secret, fast_first(core), core->end, block, ret_header);
}

/* Prove that the pointer is a live block of the core, and intact. False: it was reported. */
static bool prove_block(struct heap *heap, const uint8_t *block, const void *caller,
                        uint64_t *ret_header)
{
    return block_is_intact(&heap->fast.core, block, ret_header) ||
           diagnose_block(heap, block, caller);
}

static inline void count_core_blocks(struct fast_state *fast, size_t size_bytes, uint32_t change)
{
    if (size_bytes <= PADDED_SIZE_MAX)
        fast->classes[size_bytes / 16].core_count += change;
}

/* --- Caches of exact sizes ---------------------------------------------------------------------
 */

/* The cache for blocks of that size, or NULL. */
static inline struct fast_cache *cache_for(struct fast_state *fast, size_t units)
{
    return units <= FAST_CACHED_UNITS_MAX ? &fast->caches[units] : NULL;
}

/* False if enough blocks of that size are kept. */
static inline bool cache_put(struct fast_state *fast, struct fast_cache *cache, uint8_t *block,
                             uint64_t header)
{
    if (cache->count == cache->depth)
        return false;
    cache->blocks[cache->count++] = block;
    sealed_write_header(fast->core.secret, block, header ^ SEALED_LIVE);
    return true;
}

/* NULL if none is cached, or if it was found corrupt, which is then reported. */
static inline uint8_t *cache_take(struct heap *heap, struct fast_cache *cache, const void *caller,
                                  uint64_t *ret_header)
{
    if (cache->count == 0)
        return NULL;
    uint8_t *block = cache->blocks[--cache->count];
    if (!sealed_read_header(heap->fast.core.secret, block, ret_header) ||
        !fast_is_cached(*ret_header)) {
        (void)sealed_corrupt(heap, block, caller);
        return NULL;
    }
    return block;
}

/* Give the newest cached block back to the core. */
static bool cache_release_one(struct heap *heap, struct fast_cache *cache, const void *caller)
{
    uint64_t header;
    uint8_t *block = cache_take(heap, cache, caller, &header);
    return block != NULL && fast_core_release(heap, block, header, caller);
}

/* Let go of a slab that holds nothing and is only current. */
static void close_current_if_empty(struct heap *heap, struct fast_class *class, const void *caller)
{
    struct fast_slab *slab = class->slab;
    if (slab == NULL || !is_empty(slab))
        return;
    forget_current(class);
    close_slab(heap, slab, caller);
}

static void close_empty_groups(struct heap *heap, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    struct fast_group *next;
    for (struct fast_group *group = fast->groups;
         group != NULL && fast->empty_group_count != 0 && !heap->condemned; group = next) {
        next = group->next;
        if (group->unused == ALL_UNUSED)
            close_group(heap, group, caller);
    }
}

static void drop_unused_map(struct heap *heap, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    if (fast->map == NULL || fast->group_count != 0)
        return;
    void *map = fast->map;
    fast->map = NULL;
    fast->group_limit = 0;
    release_own(heap, map, caller);
}

/* Merge all that is kept back. There is an upper limit to it, so this takes constant time, too,
 * though more of it than any other operation. */
static void flush(struct heap *heap, const void *caller)
{
    struct fast_state *fast = &heap->fast;
    for (size_t i = 0; i < FAST_CLASS_COUNT && !heap->condemned; i++)
        close_current_if_empty(heap, &fast->classes[i], caller);
    for (size_t units = 0; units <= FAST_CACHED_UNITS_MAX && !heap->condemned; units++) {
        while (fast->caches[units].count != 0 &&
               cache_release_one(heap, &fast->caches[units], caller))
            continue;
    }
    if (!heap->condemned)
        close_empty_groups(heap, caller);
    if (!heap->condemned)
        drop_unused_map(heap, caller);
}

/* The smallest cached block that is large enough goes back to the core. False if none is. */
static bool release_larger(struct heap *heap, size_t units, const void *caller)
{
    for (; units <= FAST_CACHED_UNITS_MAX; units++) {
        if (heap->fast.caches[units].count != 0)
            return cache_release_one(heap, &heap->fast.caches[units], caller);
    }
    return false;
}

/* --- Allocation ------------------------------------------------------------------------------- */

/* Out of the core, which does not have it at once: from what is cached, merged, or grown by. */
static uint8_t *take_with_effort(struct heap *heap, size_t units,
                                 const struct heap_request *request, uint64_t *ret_header)
{
    size_t alignment_bytes = request->alignment_bytes;
    const void *caller = request->caller;
    uint8_t *block = NULL;
    if (alignment_bytes == SEALED_UNIT_BYTES && release_larger(heap, units, caller))
        block = fast_core_take(heap, units, alignment_bytes, caller, ret_header);
    if (block == NULL && !heap->condemned) {
        flush(heap, caller);
        if (!heap->condemned)
            block = fast_core_take(heap, units, alignment_bytes, caller, ret_header);
    }
    if (block == NULL && !heap->condemned && heap_grow_for(heap, request))
        block = fast_core_take(heap, units, alignment_bytes, caller, ret_header);
    return block;
}

static uint8_t *take_block(struct heap *heap, const struct heap_request *request,
                           uint64_t *ret_header)
{
    size_t limit_bytes = heap->configuration.limit_bytes;
    if (request->size_bytes >= limit_bytes ||
        request->alignment_bytes >= limit_bytes - request->size_bytes)
        return NULL;
    size_t units = fast_units_for(request->size_bytes);
    uint8_t *block =
        fast_core_take(heap, units, request->alignment_bytes, request->caller, ret_header);
    if (block == NULL && !heap->condemned)
        block = take_with_effort(heap, units, request, ret_header);
    return block;
}

static void *allocate_last_slot(struct heap *heap, size_t size_bytes, const void *caller);

static __attribute__((noinline)) void *
allocate_from_core(struct heap *heap, size_t size_bytes, size_t alignment_bytes, const void *caller)
{
    const struct heap_request request = {size_bytes, alignment_bytes, caller};
    uint64_t header;
    uint8_t *block = heap->condemned ? NULL : take_block(heap, &request, &header);
    if (block != NULL) {
        sealed_make_live(heap->fast.core.secret, block, header, size_bytes);
        count_core_blocks(&heap->fast, size_bytes, 1);
        heap_count_allocation(heap, size_bytes);
        return block;
    }
    void *slot = NULL;
    if (size_bytes <= PADDED_SIZE_MAX && alignment_bytes == SEALED_UNIT_BYTES && !heap->condemned)
        slot = allocate_last_slot(heap, size_bytes, caller);
    if (slot == NULL)
        heap->counters.failure_count++;
    return slot;
}

static __attribute__((noinline)) void *allocate_block(struct heap *heap, size_t size_bytes,
                                                      const void *caller)
{
    uint64_t header;
    uint8_t *block = NULL;
    if (size_bytes <= sealed_capacity_bytes(FAST_CACHED_UNITS_MAX))
        block = cache_take(heap, &heap->fast.caches[fast_units_for(size_bytes)], caller, &header);
    if (block == NULL)
        return allocate_from_core(heap, size_bytes, SEALED_UNIT_BYTES, caller);
    sealed_make_live(heap->fast.core.secret, block, header, size_bytes);
    count_core_blocks(&heap->fast, size_bytes, 1);
    heap_count_allocation(heap, size_bytes);
    return block;
}

/* The core should serve a mass of this size: up to 24 bytes it takes no more than a slot, and
 * nothing for a slab; others only where it takes less, and once memory is short, since it is
 * slower. */
static bool core_should_serve(const struct fast_state *fast, const struct fast_class *class,
                              size_t size_bytes)
{
    size_t units = fast_units_for(size_bytes);
    size_t heap_units = (size_t)(fast->core.end - fast->core.base) / SEALED_UNIT_BYTES;
    if (units == FAST_MINIMUM_UNITS && size_bytes > 16)
        return true;
    return fast->core.top_units < heap_units / 8 && units * class->slot_count[0] < PAGE_UNITS;
}

/* A new slab is worth it: no hole is left that is good for small sizes alone, and the class's
 * blocks would fill a quarter of the slab; or there are so many that what counts is where they take
 * least. */
static bool deserves_slab(const struct fast_state *fast, const struct fast_class *class,
                          size_t size_bytes)
{
    if (fast_core_has_hole(&fast->core, fast_units_for(size_bytes), HOLE_UNITS))
        return false;
    if (is_dense((unsigned)(class - fast->classes)))
        return true;
    if (is_mass(class))
        return !core_should_serve(fast, class, size_bytes);
    return class->slab_count != 0 || class->core_count >= class->slot_count[0] / 4u;
}

static inline void *give_slot(struct heap *heap, struct fast_class *class, size_t size_bytes)
{
    uint8_t *slot = take_slot(class);
    if (class->stride_bytes != size_bytes)
        mark_end(slot, class->stride_bytes, size_bytes);
    heap_count_allocation(heap, size_bytes);
    return slot;
}

/* The class's current word is used up. */
static __attribute__((noinline)) void *allocate_small(struct heap *heap, size_t size_bytes,
                                                      const void *caller)
{
    struct fast_state *fast = &heap->fast;
    struct fast_class *class = &fast->classes[fast->class_of[size_bytes]];
    if (refill(class) || (deserves_slab(fast, class, size_bytes) && open_slab(heap, class, caller)))
        return give_slot(heap, class, size_bytes);
    return heap->condemned ? NULL : allocate_block(heap, size_bytes, caller);
}

/* Nothing is left but slots that are kept for the other kind of slab, and pages for new ones. */
static void *allocate_last_slot(struct heap *heap, size_t size_bytes, const void *caller)
{
    struct fast_class *class = &heap->fast.classes[size_bytes / 16];
    if (has_slot(class) || refill(class) ||
        (heap->fast.groups != NULL && open_slab(heap, class, caller)))
        return give_slot(heap, class, size_bytes);
    return NULL;
}

static void *fast_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    if (size_bytes > PADDED_SIZE_MAX)
        return allocate_block(heap, size_bytes, caller);
    struct fast_class *class = &heap->fast.classes[heap->fast.class_of[size_bytes]];
    if (!has_slot(class))
        return allocate_small(heap, size_bytes, caller);
    return give_slot(heap, class, size_bytes);
}

static void *fast_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                                   const void *caller)
{
    if (!is_power_of_two(alignment_bytes)) {
        heap->counters.failure_count++;
        return NULL;
    }
    if (alignment_bytes <= HEAP_ALIGNMENT_BYTES)
        return fast_allocate(heap, size_bytes, caller);
    return allocate_from_core(heap, size_bytes, alignment_bytes, caller);
}

/* --- Free ------------------------------------------------------------------------------------- */

/* So large a block is worth merging all that is cached, if the end of the heap can then go back. */
#define TRIM_FROM_UNITS (128 * 1024 / SEALED_UNIT_BYTES)

static __attribute__((noinline)) void release_block(struct heap *heap, uint8_t *block,
                                                    const void *caller, uint64_t header)
{
    if (!fast_core_release(heap, block, header, caller))
        return;
    if (sealed_units(header) >= TRIM_FROM_UNITS && heap->configuration.pages.shrink != NULL)
        flush(heap, caller);
    heap_give_back_tail(heap);
}

static __attribute__((noinline)) void free_block(struct heap *heap, uint8_t *block,
                                                 const void *caller)
{
    uint64_t header;
    if (block == NULL)
        return;
    if (!block_is_intact(&heap->fast.core, block, &header)) {
        (void)diagnose_block(heap, block, caller);
        return;
    }
    size_t size_bytes = sealed_size(header);
    heap_count_free(heap, size_bytes);
    count_core_blocks(&heap->fast, size_bytes, UINT32_MAX);
    struct fast_cache *cache = cache_for(&heap->fast, sealed_units(header));
    if (cache == NULL || !cache_put(&heap->fast, cache, block, header))
        release_block(heap, block, caller, header);
}

static void fast_free(struct heap *heap, void *block, const void *caller)
{
    struct fast_slab *slab = slab_of(&heap->fast, (uintptr_t)block);
    if (slab == NULL)
        free_block(heap, block, caller);
    else
        free_slot(heap, block, caller, slab);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

static void *move(struct heap *heap, void *block, size_t old_bytes, size_t size_bytes,
                  size_t alignment_bytes, const void *caller)
{
    void *moved = fast_allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    if (moved != NULL) {
        memcpy(moved, block, old_bytes < size_bytes ? old_bytes : size_bytes);
        fast_free(heap, block, caller);
    }
    return moved;
}

static void *reallocate_slot(struct heap *heap, struct fast_slab *slab, uint8_t *slot,
                             size_t size_bytes, const void *caller)
{
    size_t old_bytes;
    if (!prove_slot(heap, slab, slot, caller, &old_bytes))
        return NULL;
    if (is_dense(slab->class_index) ? size_bytes != old_bytes
                                    : size_bytes / 16 != slab->class_index)
        return move(heap, slot, old_bytes, size_bytes, SEALED_UNIT_BYTES, caller);
    if (!is_dense(slab->class_index))
        mark_end(slot, slab->stride_bytes, size_bytes);
    heap_count_resize(heap, old_bytes, size_bytes);
    return slot;
}

/* Change the block's size where it is. False: not possible, or something was found corrupt. */
static bool resize(struct heap *heap, uint8_t *block, uint64_t header, size_t size_bytes,
                   const void *caller)
{
    size_t units = fast_units_for(size_bytes);
    bool done = units > sealed_units(header)
                    ? fast_core_expand(heap, block, units, &header, caller)
                    : fast_core_shrink(heap, block, units, &header, caller);
    if (done)
        sealed_make_live(heap->fast.core.secret, block, header, size_bytes);
    return done;
}

static void *reallocate_block(struct heap *heap, uint8_t *block, size_t size_bytes,
                              const void *caller)
{
    uint64_t header = 0;
    if (!prove_block(heap, block, caller, &header))
        return NULL;
    size_t old_bytes = sealed_size(header);
    if (size_bytes < heap->configuration.limit_bytes &&
        resize(heap, block, header, size_bytes, caller)) {
        count_core_blocks(&heap->fast, old_bytes, UINT32_MAX);
        count_core_blocks(&heap->fast, size_bytes, 1);
        heap_count_resize(heap, old_bytes, size_bytes);
        heap_give_back_tail(heap);
        return block;
    }
    if (heap->condemned)
        return NULL;
    return move(heap, block, old_bytes, size_bytes, sealed_alignment(block, header), caller);
}

static void *fast_reallocate(struct heap *heap, void *block, size_t size_bytes, const void *caller)
{
    if (block == NULL)
        return fast_allocate(heap, size_bytes, caller);
    if (size_bytes == 0) {
        fast_free(heap, block, caller);
        return NULL;
    }
    struct fast_slab *slab = slab_of(&heap->fast, (uintptr_t)block);
    if (slab != NULL)
        return reallocate_slot(heap, slab, block, size_bytes, caller);
    return reallocate_block(heap, block, size_bytes, caller);
}

static size_t fast_usable_size(struct heap *heap, const void *block, const void *caller)
{
    size_t size_bytes = 0;
    uint64_t header = 0;
    if (block == NULL)
        return 0;
    const struct fast_slab *slab = slab_of(&heap->fast, (uintptr_t)block);
    if (slab != NULL)
        return prove_slot(heap, slab, block, caller, &size_bytes) ? size_bytes : 0;
    return prove_block(heap, block, caller, &header) ? sealed_size(header) : 0;
}

/* --- The heap's ends -------------------------------------------------------------------------- */

static void fast_initialise(struct heap *heap)
{
    struct fast_state *fast = &heap->fast;
    void *base = heap->configuration.base;
    fast_core_initialise(&fast->core, base, heap->size_bytes,
                         sealed_begin_life(base, heap->configuration.secret));
    fast->group_floor = ((uintptr_t)base + GROUP_BYTES - 1) & ~(uintptr_t)(GROUP_BYTES - 1);
    for (unsigned i = 0; i < FAST_CLASS_COUNT; i++)
        initialise_class(&fast->classes[i], i);
    for (size_t size_bytes = 0; size_bytes <= PADDED_SIZE_MAX; size_bytes++)
        fast->class_of[size_bytes] = (uint8_t)(size_bytes / 16);
    for (size_t units = 0; units <= FAST_CACHED_UNITS_MAX; units++)
        fast->caches[units].depth = FAST_CACHE_DEPTH;
}

static bool fast_extend(struct heap *heap, size_t additional_bytes)
{
    struct fast_core *core = &heap->fast.core;
    fast_core_move_end(core, core->end + additional_bytes);
    return true;
}

static size_t fast_free_tail(const struct heap *heap)
{
    return heap->fast.core.top_units * SEALED_UNIT_BYTES;
}

static void fast_trim(struct heap *heap)
{
    flush(heap, NULL);
}

static bool fast_cut(struct heap *heap, size_t bytes)
{
    struct fast_core *core = &heap->fast.core;
    fast_core_move_end(core, core->end - bytes);
    return true;
}

/* --- Looking at it ---------------------------------------------------------------------------- */

struct tally {
    struct heap_survey survey;
    size_t used_bytes;
    size_t in_bins_count;
    size_t cached_count;
};

static const char *tally_slab(const struct fast_state *fast, const struct fast_slab *slab,
                              struct tally *tally)
{
    if (slab->class_index == NO_CLASS)
        return NULL;
    unsigned slot_count = slot_count_of(&fast->classes[slab->class_index], slab);
    unsigned live_count = 0;
    for (unsigned index = 0; index < slot_count; index++) {
        size_t size_bytes;
        if (!is_live(slab, index)) {
            tally->survey.free_block_count++;
            tally->survey.free_bytes += slab->stride_bytes - (slab->first_bytes != 0 ? 1u : 0u);
            continue;
        }
        if (!slot_is_intact(slab, slot_at(slab, index), &size_bytes))
            return "the bytes around a block were overwritten";
        live_count++;
        tally->used_bytes += size_bytes;
    }
    tally->survey.live_block_count += live_count;
    if (fast->classes[slab->class_index].slab == slab)
        return NULL;
    unsigned used_count = slab->is_full ? slot_count : slab->used_count;
    return live_count == used_count ? NULL : "a slab's count is wrong";
}

/* Neighbours that are free, or that a flush would free, are one piece: a request that needs it gets
 * it. */
static void tally_free_run(struct tally *tally, size_t run_units)
{
    if (run_units == 0)
        return;
    size_t bytes = sealed_capacity_bytes(run_units);
    tally->survey.free_block_count++;
    tally->survey.free_bytes += bytes;
    if (bytes > tally->survey.largest_free_bytes)
        tally->survey.largest_free_bytes = bytes;
}

static bool is_idle(const struct fast_slab *slabs)
{
    for (unsigned n = 0; n < GROUP_PAGES; n++) {
        if (slabs[n].class_index != NO_CLASS && !is_empty(&slabs[n]))
            return false;
    }
    return true;
}

/* A block of the policy's own that a flush would free: it belongs to a group without live blocks,
 * or is the map, if there are no others. */
static bool own_is_idle(const struct fast_state *fast, const uint8_t *block)
{
    const struct fast_slab *slabs = slab_of(fast, (uintptr_t)block);
    if (slabs != NULL)
        return is_idle(slabs);
    if (block != (const uint8_t *)fast->map)
        return is_idle(((const struct fast_group *)(const void *)block)->slabs);
    for (size_t i = 0; i < fast->group_limit; i++) {
        if (fast->map[i] != NULL && !is_idle(fast->map[i]))
            return false;
    }
    return true;
}

static const char *tally_block(const struct fast_state *fast, const uint8_t *block, uint64_t header,
                               struct tally *tally)
{
    const char *problem = NULL;
    if ((header & SEALED_OWN) != 0) {
        const struct fast_slab *slabs = slab_of(fast, (uintptr_t)block);
        for (unsigned n = 0; slabs != NULL && problem == NULL && n < GROUP_PAGES; n++)
            problem = tally_slab(fast, &slabs[n], tally);
        return problem;
    }
    if (!sealed_end_is_intact(fast->core.secret, block, header))
        return "the bytes behind a block were overwritten";
    tally->survey.live_block_count++;
    tally->used_bytes += sealed_size(header);
    return NULL;
}

/* Walk all blocks. NULL, or what is wrong with the first bad one. */
static const char *tally_blocks(const struct fast_state *fast, struct tally *ret_tally)
{
    const struct fast_core *core = &fast->core;
    const char *problem = NULL;
    bool previous_is_free = false;
    size_t run_units = 0;
    *ret_tally = (struct tally){0};
    for (const uint8_t *block = fast_first(core); block != core->end && problem == NULL;) {
        uint64_t header;
        if (!sealed_read_header(core->secret, block, &header))
            return "a header was overwritten";
        size_t units = sealed_units(header);
        if (units == 0 || units > (size_t)(core->end - block) / SEALED_UNIT_BYTES)
            return "a block reaches beyond the end";
        bool is_free = (header & SEALED_FREE) != 0;
        if (((header & SEALED_PREVIOUS_FREE) != 0) != previous_is_free)
            return "a header is wrong about the block before";
        if (is_free && previous_is_free)
            return "two free blocks touch";
        if (is_free && block != core->top && !fast_core_footer_is_sound(core, block, units))
            return "a footer was overwritten";
        previous_is_free = is_free;
        ret_tally->in_bins_count += is_free && block != core->top;
        ret_tally->cached_count += fast_is_cached(header);
        if (is_free || fast_is_cached(header) ||
            ((header & SEALED_OWN) != 0 && own_is_idle(fast, block))) {
            run_units += units;
        } else {
            tally_free_run(ret_tally, run_units);
            run_units = 0;
            problem = tally_block(fast, block, header, ret_tally);
        }
        block = sealed_next(block, units);
    }
    tally_free_run(ret_tally, run_units);
    uint64_t end;
    if (problem == NULL && !sealed_read_header(core->secret, core->end, &end))
        problem = "the end marker was overwritten";
    return problem;
}

/* Stops at a header that is not sound: the figures are then what could be proved. */
static void fast_survey(const struct heap *heap, struct heap_survey *ret_survey)
{
    struct tally tally;
    (void)tally_blocks(&heap->fast, &tally);
    *ret_survey = tally.survey;
}

/* The pages of a group: slots, and pages that are no slabs. */
static void walk_group(const struct fast_slab *slabs, heap_piece_visitor *visit, void *context)
{
    const uint8_t *pages = group_of((struct fast_slab *)(uintptr_t)slabs)->pages;
    for (unsigned n = 0; n < GROUP_PAGES; n++) {
        const struct fast_slab *slab = &slabs[n];
        size_t page_bytes = n == GROUP_PAGES - 1 ? LAST_PAGE_BYTES : PAGE_BYTES;
        if (slab->class_index == NO_CLASS) {
            const struct heap_piece page = {.kind = HEAP_PIECE_FREE,
                                            .start = pages + n * PAGE_BYTES,
                                            .extent_bytes = page_bytes};
            visit(context, &page);
            continue;
        }
        unsigned slot_count = (unsigned)((page_bytes - slab->first_bytes) / slab->stride_bytes);
        for (unsigned index = 0; index < slot_count; index++) {
            const uint8_t *slot = slot_at(slab, index);
            bool live = is_live(slab, index);
            const struct heap_piece piece = {.kind = live ? HEAP_PIECE_LIVE : HEAP_PIECE_FREE,
                                             .start = slot,
                                             .extent_bytes = slab->stride_bytes,
                                             .size_bytes = live ? slot_size(slab, slot) : 0};
            visit(context, &piece);
        }
    }
}

static void fast_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    const struct fast_state *fast = &heap->fast;
    const uint8_t *block = fast_first(&fast->core);
    uint64_t header;
    while (block < fast->core.end && sealed_read_header(fast->core.secret, block, &header) &&
           sealed_units(header) != 0) {
        const struct heap_piece piece = sealed_piece(block, header);
        const struct fast_slab *slabs =
            piece.kind == HEAP_PIECE_OWN ? slab_of(fast, (uintptr_t)block) : NULL;
        if (slabs != NULL)
            walk_group(slabs, visit, context);
        else
            visit(context, &piece);
        block = sealed_next(block, sealed_units(header));
    }
}

static const char *check_caches(const struct fast_state *fast, size_t cached_count)
{
    for (size_t units = 0; units <= FAST_CACHED_UNITS_MAX; units++) {
        const struct fast_cache *cache = &fast->caches[units];
        for (size_t i = 0; i < cache->count; i++) {
            uint64_t header;
            if (!sealed_read_header(fast->core.secret, cache->blocks[i], &header) ||
                !fast_is_cached(header) || sealed_units(header) != units)
                return "a cache holds what is not cached";
        }
        cached_count -= cache->count;
    }
    return cached_count == 0 ? NULL : "a cached block is in no cache";
}

/* Slabs on a class's list are of that class, and have free slots and live blocks. */
static const char *check_class(const struct fast_state *fast, const struct fast_class *class)
{
    const struct fast_slab *previous = NULL;
    for (const struct fast_slab *slab = class->partial; slab != NULL; slab = slab->next) {
        if (&fast->classes[slab->class_index] != class || slab->previous != previous)
            return "a class's list is wrong";
        if (slab->used_count == 0 || slab->used_count >= slot_count_of(class, slab) ||
            slab == class->slab)
            return "a slab on a list does not belong there";
        previous = slab;
    }
    return NULL;
}

static const char *fast_check(const struct heap *heap)
{
    const struct fast_state *fast = &heap->fast;
    struct tally tally;
    const char *problem = tally_blocks(fast, &tally);
    if (problem == NULL && tally.used_bytes != heap_used_bytes(heap))
        problem = "the counters do not match the blocks";
    if (problem == NULL)
        problem = fast_core_check_bins(&fast->core, tally.in_bins_count);
    if (problem == NULL)
        problem = check_caches(fast, tally.cached_count);
    for (size_t i = 0; i < FAST_CLASS_COUNT && problem == NULL; i++)
        problem = check_class(fast, &fast->classes[i]);
    return problem;
}

static const struct heap_operations fast_operations = {
    .allocate = fast_allocate,
    .allocate_aligned = fast_allocate_aligned,
    .free = fast_free,
    .reallocate = fast_reallocate,
    .usable_size = fast_usable_size,
};

const struct heap_policy heap_policy_fast = {
    .name = "fast",
    .minimum_bytes = 4 * SEALED_UNIT_BYTES,
    .minimum_extend_bytes = SEALED_UNIT_BYTES,
    .maximum_bytes = SEALED_BYTES_MAX,
    .block_overhead_bytes = 6 * SEALED_UNIT_BYTES,
    .operations = &fast_operations,
    .initialise = fast_initialise,
    .extend = fast_extend,
    .free_tail = fast_free_tail,
    .cut = fast_cut,
    .trim = fast_trim,
    .survey = fast_survey,
    .walk = fast_walk,
    .check = fast_check,
};
