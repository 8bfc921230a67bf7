/*
 * fast_class.h - the size classes of the fast policy: which slab a class allocates from next.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_CLASS_H
#define KERNEL_MM_HEAP_POLICIES_FAST_CLASS_H

#include "kernel/mm/heap/policies/fast_slot.h"

/* --- Geometry --------------------------------------------------------------------------------- */

/* The header of the block behind the pages lies in their last 8 bytes. */
#define FAST_PAGES_LOSS_BYTES SEALED_HEADER_BYTES

/* Return the class of a size above FAST_PADDED_MAX and up to FAST_MEDIUM_MAX. */
static inline size_t fast_class_of_medium(const struct fast_state *fast, size_t size_bytes)
{
    return fast->medium_class_of[(size_bytes - 1) / FAST_MEDIUM_STEP_BYTES];
}

/* Count live blocks of this size that lie in no slab. */
static inline void fast_class_count_blocks(struct fast_state *fast, size_t size_bytes,
                                           size_t change)
{
    if (size_bytes <= FAST_PADDED_MAX)
        fast->classes[size_bytes / 16].core_count += change;
    else if (size_bytes <= FAST_MEDIUM_MAX)
        fast->classes[fast_class_of_medium(fast, size_bytes)].core_count += change;
}

static inline size_t fast_class_first_bytes(size_t class_index)
{
    return fast_class_is_dense(class_index) ? 0 : FAST_GUARD_BYTES;
}

/* Return how many slots a slab of this many pages has. */
static inline unsigned fast_class_slots_in(const struct fast_class *size_class, size_t class_index,
                                           unsigned page_count)
{
    size_t bytes =
        page_count * FAST_PAGE_BYTES - FAST_PAGES_LOSS_BYTES - fast_class_first_bytes(class_index);
    return (unsigned)(bytes * size_class->reciprocal >> 32);
}

/* The product with the reciprocal is the quotient for all lengths below 2^32 / stride. */
_Static_assert(FAST_MEDIUM_PAGES *FAST_PAGE_BYTES <
                   (UINT64_C(1) << 32) / (FAST_MEDIUM_MAX + SEALED_UNIT_BYTES),
               "a division by a stride needs only its reciprocal");

/* --- The current slab ------------------------------------------------------------------------- */

/* True if a class with this current slab has a free slot in its current word. Slots that are not
 * prepared have a bit in `unready` and in the word, so equal words have no slot to take. */
static inline bool fast_class_has_slot(const struct fast_slab *slab)
{
    return *slab->word != slab->unready;
}

/* Return the lowest free slot of the current word. Precondition: fast_class_has_slot(). */
static inline uint8_t *fast_class_take_slot(struct fast_slab *slab)
{
    uint64_t free = *slab->word;
    *slab->word = free & (free - 1);
    slab->used_count++;
    return slab->word_slots + (size_t)slab->stride_bytes * (unsigned)__builtin_ctzll(free);
}

/* Return a slot for a block of this size. Preconditions: fast_class_has_slot(), and the size is one
 * of the class, which is not a medium one. */
static inline void *fast_class_allocate(struct heap *heap, struct fast_slab *slab,
                                        size_t size_bytes)
{
    uint8_t *slot = fast_class_take_slot(slab);
    uint32_t last_byte = (uint32_t)slab->end_byte + (uint32_t)size_bytes;
    if (last_byte != 0)
        fast_slot_mark_end(fast_of(heap), slot, slab->stride_bytes, size_bytes, last_byte);
    heap_count_allocation(heap, size_bytes);
    return slot;
}

/* Complete a slot of a medium class. */
static inline void *fast_class_end_medium(struct heap *heap, const struct fast_slab *slab,
                                          uint8_t *slot, size_t size_bytes)
{
    fast_slot_write_long_end(fast_of(heap), slab, slot, size_bytes);
    heap_count_allocation(heap, size_bytes);
    return slot;
}

/* As fast_class_allocate(), for a medium class. */
static inline void *fast_class_allocate_medium(struct heap *heap, struct fast_slab *slab,
                                               size_t size_bytes)
{
    return fast_class_end_medium(heap, slab, fast_class_take_slot(slab), size_bytes);
}

/* Search the words from `start` up, then those below `stop`, for a free slot. The first word with
 * one becomes current. Only the last word that is reached may have slots that are not prepared.
 * False: there is none. */
static inline bool fast_class_find_word(struct fast_slab *slab, uint64_t *start,
                                        const uint64_t *stop)
{
    uint64_t *last = &slab->free[slab->reached_count / 64];
    uint64_t unready = UINT64_MAX << slab->reached_count % 64;
    uint64_t *word = start;
    while (word < last && *word == 0)
        word++;
    if (word >= last && *last != unready)
        word = last;
    else if (word >= last) {
        for (word = slab->free; word < stop && *word == 0;)
            word++;
        if (word >= stop)
            return false;
    }
    slab->word = word;
    slab->word_slots = slab->slots + (size_t)(word - slab->free) * 64 * slab->stride_bytes;
    slab->unready = word == last ? unready : 0;
    return true;
}

/* A class has used up its current word, and chooses another one. */
static inline void fast_class_count_refill(struct fast_state *fast, size_t class_index)
{
    fast->classes[class_index].refilled_at = ++fast->refill_count;
}

/* Choose the next word of the class's current slab with a free slot. False: that has no other slot
 * that is prepared, or the class has no current slab. Precondition: the current word is used up.
 * Measured: if the search always begins with the first word, the workload kernel-server takes 68
 * instructions instead of 65, since that word then has few free slots. */
static inline bool fast_class_turn(struct fast_state *fast, size_t class_index)
{
    struct fast_slab *slab = fast->current[class_index];
    if (slab->used_count == slab->reached_count ||
        !fast_class_find_word(slab, slab->word + 1, slab->word))
        return false;
    fast_class_count_refill(fast, class_index);
    return true;
}

/* The slots up to the next multiple of this are prepared at a time. A medium slot may be a page of
 * memory that is not in use yet, so none is prepared. But so many new ones count as a word that was
 * used up.
 * Measured: with 8, the workload sawtooth takes 140 instructions instead of 137; with 64, 136. If
 * each new medium slot counts, slabs of other classes are dissolved early, and a pair of 1,040
 * bytes takes 233 instructions instead of 133. If none counts, the pattern medium-turns takes 2.04
 * times its live memory instead of 1.97. With 2, 4, 8 or 16, all of these are the same. */
#define FAST_READY_STEP 16u

/* Return the next slot of a medium class's current slab that was never taken. It needs no
 * preparation, since it becomes live at once. Its word becomes current, and stays used up.
 * Precondition: no other slot is free, and slab->reached_count < slab->slot_count. */
static inline uint8_t *fast_class_take_unused(struct fast_state *fast, struct fast_slab *slab)
{
    fast->refill_count += slab->reached_count % FAST_READY_STEP == 0;
    fast->classes[slab->class_index].refilled_at = fast->refill_count;
    unsigned index = slab->reached_count++;
    uint64_t *word = &slab->free[index / 64];
    uint64_t bit = UINT64_C(1) << index % 64;
    *word &= ~bit;
    slab->used_count++;
    slab->word = word;
    slab->word_slots = fast_slot_at(slab, index / 64 * 64);
    slab->unready = -bit << 1;
    return fast_slot_at(slab, index);
}

/* The current slab has no other slot that is prepared: prepare more, or make the next slab current.
 * The caller must take a slot at once. False: the class has no free slot, and no current slab, or
 * the heap is corrupt and the fault is recorded. */
bool fast_class_next(struct heap *heap, size_t class_index);

/* Find another word with a free slot, in the current slab or the next one. False: as above. */
static inline bool fast_class_refill(struct heap *heap, size_t class_index)
{
    return fast_class_turn(fast_of(heap), class_index) || fast_class_next(heap, class_index);
}

/* True if the class has a slab with free slots besides its current one. */
static inline bool fast_class_has_other(const struct fast_state *fast, size_t class_index)
{
    return fast->classes[class_index].partial != NULL || fast->sparse[class_index] != NULL;
}

/* True if the class has a free slot, prepared or not. */
static inline bool fast_class_has_any_slot(const struct fast_state *fast, size_t class_index)
{
    const struct fast_slab *slab = fast->current[class_index];
    return slab->used_count != slab->slot_count || fast_class_has_other(fast, class_index);
}

/* Return the bits of a word without a slot that is prepared. */
uint64_t fast_class_unready(const struct fast_slab *slab, unsigned word);

/* --- The other slabs -------------------------------------------------------------------------- */

/* No slab takes a larger part of the heap.
 * Measured: with 256, the workload kernel-host takes 96 instructions instead of 78. */
#define FAST_SLABS_IN_A_HEAP 128

/* A slab with live blocks in at most this part of its slots is sparse.
 * Measured: with 4, a heap in which one block in 3 stays takes 3.1 times its live memory (1.6). */
#define FAST_SPARSE_PART 2

/* The live blocks that `used_count` leaves out. When it is 0, the slab becomes sparse. */
static inline unsigned fast_class_floor(const struct fast_slab *slab)
{
    return slab->counts_above ? slab->slot_count / FAST_SPARSE_PART : 0;
}

/* Put a slab on the list of partial or of sparse slabs. It is on no list, and has free slots and
 * this many live blocks. It is not full any more. */
void fast_class_add(struct fast_state *fast, struct fast_slab *slab, unsigned live_count);

/* Take the slab off its list. Its `used_count` is then that of all its live blocks. False: its links
 * were overwritten, and the fault is recorded. Precondition: fast_slab_is_sound(). */
bool fast_class_remove(struct heap *heap, struct fast_slab *slab);

/* Return the slab, or NULL. In a corrupt heap the fault is recorded. */
struct fast_slab *fast_class_take_sparse(struct heap *heap, size_t class_index);

/* --- Which class serves a size ---------------------------------------------------------------- */

void fast_class_initialise_all(struct fast_state *fast);

/* Count the slots of a slab that the class opens for a block of this size, or of one that it
 * closes. Decide whether blocks of the class's least size go to dense slabs. */
void fast_class_count_opened(struct heap *heap, struct fast_class *size_class,
                             const struct fast_slab *slab, size_t size_bytes);
void fast_class_count_closed(struct heap *heap, struct fast_class *size_class,
                             const struct fast_slab *slab);

#endif
