#include "kernel/mm/heap/policies/fast_class.h"

/* A class is a mass if it has at least this many blocks. Each of their canaries costs up to 16
 * bytes. Fewer blocks keep them, so that a write behind a block is found.
 * Measured: without a number, the workload network takes 92 instructions instead of 87. */
#define MASS_BLOCK_COUNT 256
/* The blocks must also fill half of the largest slab, or have this many bytes. The number counts in
 * heaps above 256 MiB only, and was not measured there.
 * Measured: if they must fill all of it, the kernel's mix uses 96.6 % of a region instead of 97.1 %.
 */
#define MASS_BYTES ((size_t)1024 * 1024)

/* Return the largest size of a medium class. */
static size_t medium_most_bytes(size_t class_index)
{
    size_t step = class_index - FAST_FIRST_MEDIUM;
    return (size_t)(9 + step % 8) << (step / 8 + 7);
}

static size_t stride_of(size_t class_index)
{
    if (fast_class_is_medium(class_index))
        return medium_most_bytes(class_index) + SEALED_UNIT_BYTES;
    return 16 * (fast_class_is_dense(class_index) ? class_index + 1 - FAST_PADDED_CLASSES
                                                  : class_index + 1);
}

void fast_class_initialise_all(struct fast_state *fast)
{
    size_t medium = FAST_FIRST_MEDIUM;
    for (size_t i = 0; i < FAST_MEDIUM_MAX / FAST_MEDIUM_STEP_BYTES; i++) {
        medium += medium_most_bytes(medium) < (i + 1) * FAST_MEDIUM_STEP_BYTES;
        fast->medium_class_of[i] = (uint8_t)medium;
    }
    for (size_t i = 0; i < FAST_CLASS_COUNT; i++) {
        struct fast_class *size_class = &fast->classes[i];
        size_class->stride_bytes = (uint32_t)stride_of(i);
        size_class->reciprocal = fast_slot_reciprocal(size_class->stride_bytes);
        size_class->mark = (uint16_t)fast_slot_mark(fast, i);
        fast->current[i] = &fast_no_slab;
    }
    for (size_t size_bytes = 0; size_bytes <= FAST_PADDED_MAX; size_bytes++)
        fast->class_of[size_bytes] = (uint8_t)(size_bytes / 16);
}

static bool is_mass(const struct heap *heap, const struct fast_class *size_class,
                    size_t block_count)
{
    size_t part_bytes = heap->limit_bytes / FAST_SLABS_IN_A_HEAP / 2;
    return block_count >= MASS_BLOCK_COUNT &&
           block_count * size_class->stride_bytes >= smaller(part_bytes, MASS_BYTES);
}

/* Blocks of exactly a padded class's least size go to dense slabs as long as the class is a mass. */
static void choose(struct fast_state *fast, size_t padded)
{
    const struct fast_class *size_class = &fast->classes[padded];
    if (padded == 0 || padded > FAST_DENSE_CLASSES)
        return;
    bool is_dense = size_class->is_mass && size_class->is_exact;
    fast->class_of[padded * 16] = (uint8_t)(is_dense ? FAST_PADDED_CLASSES - 1 + padded : padded);
}

void fast_class_count_opened(struct heap *heap, struct fast_class *size_class,
                             const struct fast_slab *slab, size_t size_bytes)
{
    /* The class had no free slot: all of these are live blocks. */
    if (is_mass(heap, size_class, size_class->slot_count + size_class->core_count))
        size_class->is_mass = true;
    size_class->slot_count += slab->slot_count;
    fast_of(heap)->open_classes[slab->class_index / 64] |= UINT64_C(1) << slab->class_index % 64;
    if (!fast_slab_is_padded(slab))
        return;
    if (size_bytes % 16 == 0)
        size_class->is_exact = true;
    if (size_class->is_mass)
        choose(fast_of(heap), slab->class_index);
}

void fast_class_count_closed(struct heap *heap, struct fast_class *size_class,
                             const struct fast_slab *slab)
{
    size_class->slot_count -= slab->slot_count;
    uint64_t is_last = size_class->slot_count == 0; /* without a branch, which no CPU predicts */
    fast_of(heap)->open_classes[slab->class_index / 64] &= ~(is_last << slab->class_index % 64);
    if (!fast_slab_is_padded(slab) || is_mass(heap, size_class, size_class->slot_count))
        return;
    size_class->is_exact = false;
    if (!size_class->is_mass)
        return;
    size_class->is_mass = false;
    choose(fast_of(heap), slab->class_index);
}

uint64_t fast_class_unready(const struct fast_slab *slab, unsigned word)
{
    unsigned ready_count = slab->reached_count - word * 64;
    return slab->reached_count / 64 > word ? 0 : UINT64_MAX << ready_count;
}

/* Make the next slots that were never taken look like freed ones, except for the first, which the
 * caller takes at once. Make its word current. Precondition: there are such slots. False only if the
 * slab's record was overwritten. */
static __attribute__((noinline)) bool advance(const struct fast_state *fast, struct fast_slab *slab)
{
    unsigned reached = slab->reached_count;
    unsigned step = fast_slab_is_medium(slab) ? 1 : FAST_READY_STEP - reached % FAST_READY_STEP;
    unsigned count = (unsigned)smaller(step, slab->slot_count - reached);
    fast_slot_mark_unused(fast, slab, fast_slot_at(slab, reached + 1), count - 1);
    slab->reached_count = (uint16_t)(reached + count);
    slab->word = &slab->free[reached / 64];
    slab->word_slots = fast_slot_at(slab, reached / 64 * 64);
    slab->unready = fast_class_unready(slab, reached / 64);
    return fast_class_has_slot(slab);
}

/* Keep the bit of the class's list of sparse slabs. */
static void note_sparse(struct fast_state *fast, unsigned class_index)
{
    uint64_t bit = UINT64_C(1) << class_index % 64;
    if (fast->sparse[class_index] != NULL)
        fast->sparse_classes[class_index / 64] |= bit;
    else
        fast->sparse_classes[class_index / 64] &= ~bit;
}

static void add_first(struct fast_slab **list, struct fast_slab *slab)
{
    slab->next = *list;
    slab->previous = NULL;
    if (*list != NULL)
        (*list)->previous = slab;
    *list = slab;
}

/* A slab at the list's end gets more free slots until it is its turn. */
static void add_last(struct fast_class *size_class, struct fast_slab *slab)
{
    struct fast_slab *last = size_class->partial_last;
    slab->next = NULL;
    slab->previous = last;
    size_class->partial_last = slab;
    if (last != NULL)
        last->next = slab;
    else
        size_class->partial = slab;
}

static __attribute__((noinline)) void add_sparse(struct fast_state *fast, struct fast_slab *slab,
                                                 unsigned live_count)
{
    slab->is_sparse = true;
    slab->used_count = (uint16_t)live_count;
    add_first(&fast->sparse[slab->class_index], slab);
    fast->sparse_page_count += slab->page_count;
    note_sparse(fast, slab->class_index);
}

void fast_class_add(struct fast_state *fast, struct fast_slab *slab, unsigned live_count)
{
    unsigned floor = slab->slot_count / FAST_SPARSE_PART;
    slab->is_full = false;
    slab->counts_above = live_count > floor;
    if (live_count <= floor) {
        add_sparse(fast, slab, live_count);
        return;
    }
    slab->used_count = (uint16_t)(live_count - floor);
    add_last(&fast->classes[slab->class_index], slab);
}

/* The slab is on no list any more. */
static inline void count_all(struct fast_slab *slab)
{
    slab->used_count = (uint16_t)(slab->used_count + fast_class_floor(slab));
    slab->counts_above = false;
}

static bool remove_sparse(struct heap *heap, struct fast_slab *slab, size_t class_index)
{
    struct fast_state *fast = fast_of(heap);
    struct fast_slab *last = slab; /* this list has no pointer to its end */
    if (!fast_slab_unlink(fast, slab, &fast->sparse[class_index], &last))
        return sealed_record_corrupt(heap, (const uint8_t *)slab);
    count_all(slab);
    slab->is_sparse = false;
    fast->sparse_page_count -= slab->page_count;
    note_sparse(fast, (unsigned)class_index);
    return true;
}

bool fast_class_remove(struct heap *heap, struct fast_slab *slab)
{
    struct fast_class *size_class = &fast_of(heap)->classes[slab->class_index];
    if (slab->is_sparse)
        return remove_sparse(heap, slab, slab->class_index);
    if (!fast_slab_unlink(fast_of(heap), slab, &size_class->partial, &size_class->partial_last))
        return sealed_record_corrupt(heap, (const uint8_t *)slab);
    count_all(slab);
    return true;
}

struct fast_slab *fast_class_take_sparse(struct heap *heap, size_t class_index)
{
    struct fast_slab *slab = fast_of(heap)->sparse[class_index];
    return slab != NULL && remove_sparse(heap, slab, class_index) ? slab : NULL;
}

/* Take the first slab off the list of partial slabs. False: its links were overwritten. */
static inline bool take_partial(const struct fast_state *fast, struct fast_class *size_class,
                                struct fast_slab *slab)
{
    if (slab->previous != NULL ||
        !fast_slab_unlink(fast, slab, &size_class->partial, &size_class->partial_last))
        return false;
    count_all(slab);
    return true;
}

/* Make the slab current, and find a free slot in it. */
static inline bool begin(struct fast_state *fast, size_t class_index, struct fast_slab *slab)
{
    fast->current[class_index] = slab;
    return fast_class_find_word(slab, slab->free, slab->free) || advance(fast, slab);
}

/* The class has no partial slab. */
static __attribute__((noinline)) bool next_sparse(struct heap *heap, size_t class_index)
{
    struct fast_slab *slab = fast_class_take_sparse(heap, class_index);
    if (slab != NULL)
        return begin(fast_of(heap), class_index, slab);
    fast_of(heap)->current[class_index] = &fast_no_slab;
    return false;
}

bool fast_class_next(struct heap *heap, size_t class_index)
{
    struct fast_state *fast = fast_of(heap);
    struct fast_slab *slab = fast->current[class_index];
    fast_class_count_refill(fast, class_index);
    if (slab->reached_count != slab->slot_count)
        return advance(fast, slab);
    if (slab != &fast_no_slab) {
        slab->is_full = true;
        slab->used_count = 1;
    }
    slab = fast->classes[class_index].partial;
    if (slab == NULL)
        return next_sparse(heap, class_index);
    if (!take_partial(fast, &fast->classes[class_index], slab))
        return sealed_record_corrupt(heap, (const uint8_t *)slab);
    return begin(fast, class_index, slab);
}
