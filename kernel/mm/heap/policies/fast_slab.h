/*
 * fast_slab.h - slabs of the fast policy: slots of one size in 1 to 4 pages of 8 KiB.
 *
 *   page                                                              page
 *   | guard | slot 0        | slot 1        | slot 2        |…        |… slot n      | rest |
 *     16 B    payload |c..k|  payload   |c.k|
 *
 * A padded slot is longer than what was asked for: c, the first byte behind it, is SEALED_CANARY,
 * and k, the slot's last one, is a canary, too, and holds the low 4 bits of the size. (With all of
 * them set both are the same byte.)
 *
 * Sizes that are multiples of 16 pay 16 bytes for that. Once there are many such blocks, memory
 * counts more: further ones go to dense slabs, without guard and canaries. They alone can be
 * overrun without notice; double and interior frees are still found exactly.
 *
 * What is known of a slab lies apart from its pages. (Kept in them it would compete for the same
 * few lines of every cache, since all pages begin at multiples of 4096.) It has a bit for each
 * slot, which is set while that is free. A map of two levels, by page, finds it:
 *
 *   map            struct fast_leaf           struct fast_slab
 *   | 512 KiB | -> | page 0 | page 1 |…  ->   | slots, stride, …, a bit for each slot |
 *
 * Where there is no slab the map leads to fast_no_slab, which has no slots, so that a lookup need
 * not ask. The map has a place for each 512 KiB of what the heap may ever have. They are written a
 * few at a time, beginning where the first slab is, so that no operation depends on the limit. A
 * leaf goes with its last slab, the map with its last leaf.
 *
 * A block that became smaller where it is, since it could not move, may be too short for the mark.
 * Its slot is then short: the mark's byte says that 16 bytes are left over, the first of them is
 * FAST_SHORT instead of a canary, and the size follows, and its complement. In a dense slab a
 * second bit for each slot says whether the slot has such an end at all. While one has, the slab's
 * `reciprocal` is 0, so that the usual free leaves the slab to one that looks at these bits.
 *
 * A class allocates from one word of bits of its current slab: the lowest free slot is a bit scan.
 * The current slab's used count is not kept, since that would be a further write for each block; it
 * is known again once the slab is full. Other slabs are full and on no list, or on the class's list
 * of partial ones, or, without a live block, among its spare ones.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_SLAB_H
#define KERNEL_MM_HEAP_POLICIES_FAST_SLAB_H

#include "kernel/mm/heap/policies/fast_core.h"

#define FAST_PAGE_BYTES ((size_t)8192)
#define FAST_LEAF_PAGES 64
#define FAST_LEAF_BYTES (FAST_LEAF_PAGES * FAST_PAGE_BYTES)
#define FAST_SLAB_PAGES 4

#define FAST_GUARD_BYTES 16u

/* The last byte of a padded slot holds this and 4 bits of the size; with all of them set,
 * SEALED_CANARY. */
#define FAST_END_MARK 0xb0u

/* Where the canary of the shortest size that has a mark would be, if the size is shorter than that.
 * No ASCII character, no 0 and no 0xff. */
#define FAST_SHORT ((uint8_t)0xb7)

struct fast_slab {
    uint8_t *slots;      /* slot 0 */
    uint32_t reciprocal; /* as fast_class.reciprocal; 0 in fast_no_slab, and see above */
    uint32_t slot_count;
    uint32_t used_count; /* 1 if it is full; counts nothing while it is current */
    uint16_t stride_bytes;
    uint8_t class_index;
    uint8_t page_count : 7;
    bool is_full : 1;
    struct fast_slab *next; /* on one of the class's lists */
    struct fast_slab *previous;
    /* Bit i of word w: slot 64 w + i is free. In a dense slab as many words follow, whose bits say
     * that a slot is longer than what was asked for, and has an end. */
    uint64_t free[];
};

static inline bool fast_class_is_dense(size_t class_index)
{
    return class_index >= FAST_PADDED_CLASSES;
}

static inline bool fast_slab_is_padded(const struct fast_slab *slab)
{
    return !fast_class_is_dense(slab->class_index);
}

struct fast_leaf {
    struct fast_slab *slabs[FAST_LEAF_PAGES];
    size_t used_count; /* of its pages, those that are a slab's */
};

extern struct fast_slab fast_no_slab;

/* The policy's own blocks say in the header's alignment field what they are. */
enum fast_own {
    FAST_OWN_PAGES,
    FAST_OWN_SLAB,
    FAST_OWN_LEAF,
    FAST_OWN_MAP,
};

static inline enum fast_own fast_own_kind(uint64_t header)
{
    return (enum fast_own)(header >> SEALED_ALIGNMENT_SHIFT);
}

/* --- Finding slabs and slots ------------------------------------------------------------------ */

/* The slab in one of whose pages the address lies, or fast_no_slab. */
static inline struct fast_slab *fast_slab_of(const struct fast_state *fast, const void *address)
{
    uintptr_t offset = (uintptr_t)address - fast->map_floor;
    if (__builtin_expect(offset / FAST_LEAF_BYTES >= fast->map_length, 0))
        return &fast_no_slab;
    return fast->map[offset / FAST_LEAF_BYTES]->slabs[offset / FAST_PAGE_BYTES % FAST_LEAF_PAGES];
}

/* True, with its number, if the address is that of a slot.
 * Multiplying by 2^32 / stride leaves the quotient above the low 32 bits; what is left in these is
 * less than the factor exactly if the division has no rest (Lemire, Kaser and Kurz, "Faster
 * remainder by direct computation", 2019). An offset below 0 has a quotient beyond all slots. */
static inline bool fast_slot_index_by(const struct fast_slab *slab, uint32_t reciprocal,
                                      const void *address, unsigned *ret_index)
{
    uint32_t offset = (uint32_t)((uintptr_t)address - (uintptr_t)slab->slots);
    uint64_t product = (uint64_t)offset * reciprocal;
    unsigned index = (unsigned)(product >> 32);
    if ((uint32_t)product >= reciprocal || index >= slab->slot_count)
        return false;
    *ret_index = index;
    return true;
}

static inline bool fast_slot_index(const struct fast_slab *slab, const void *address,
                                   unsigned *ret_index)
{
    return fast_slot_index_by(slab, slab->reciprocal, address, ret_index);
}

static inline uint8_t *fast_slot_at(const struct fast_slab *slab, unsigned index)
{
    return slab->slots + (size_t)index * slab->stride_bytes;
}

static inline bool fast_slot_is_free(const struct fast_slab *slab, unsigned index)
{
    return (slab->free[index / 64] >> index % 64 & 1) != 0;
}

/* False, and nothing changed, if it is free already. */
static inline bool fast_slot_make_free(struct fast_slab *slab, unsigned index)
{
    uint64_t *word = &slab->free[index / 64];
    uint64_t with_slot = *word | UINT64_C(1) << index % 64;
    if (with_slot == *word)
        return false;
    *word = with_slot;
    return true;
}

/* --- The ends of padded slots ----------------------------------------------------------------- */

/* Precondition: size_bytes < stride_bytes <= size_bytes + 16. */
static inline void fast_slot_mark_end(uint8_t *slot, size_t stride_bytes, size_t size_bytes)
{
    slot[size_bytes] = SEALED_CANARY;
    slot[stride_bytes - 1] = (uint8_t)(FAST_END_MARK | (size_bytes & 15));
}

/* The low 4 bits of the size that fast_slot_mark_end() was told, from the last byte of a slot; more
 * than 15 if that was overwritten. */
static inline unsigned fast_slot_read_mark(const uint8_t *slot_end)
{
    return (unsigned)slot_end[-1] ^ FAST_END_MARK;
}

/* Prove that the canaries around a live slot are as they were left, and read its size. False also
 * for a short slot; dense slabs are taken to have none. */
static inline bool fast_slot_is_intact(const struct fast_slab *slab, const uint8_t *slot,
                                       size_t *ret_size_bytes)
{
    size_t size_bytes = slab->stride_bytes;
    if (fast_slab_is_padded(slab)) {
        uint8_t mark = slot[size_bytes - 1];
        size_t low_bits = mark ^ FAST_END_MARK;
        size_bytes += low_bits;
        size_bytes -= 16;
        if ((low_bits | (uint8_t)(mark ^ slot[-1])) > 15 || slot[size_bytes] != SEALED_CANARY)
            return false;
    }
    *ret_size_bytes = size_bytes;
    return true;
}

/* The same, and short slots as well. */
bool fast_slot_read(const struct fast_slab *slab, unsigned index, size_t *ret_size_bytes);

/* Of a slot, as it was asked for; what it was asked for last if it is free (in a dense slab what it
 * could be asked for); 0 if its end was overwritten. */
size_t fast_slot_size(const struct fast_slab *slab, unsigned index);

/* As fast_slot_index(), also in a slab that has no `reciprocal`. */
bool fast_slot_find(const struct fast_slab *slab, const void *address, unsigned *ret_index);

/* The largest block that a slot serves. */
static inline size_t fast_slot_capacity(const struct fast_slab *slab)
{
    return slab->stride_bytes - (fast_slab_is_padded(slab) ? 1u : 0u);
}

/* Lay the end of a live slot. Precondition: size_bytes <= fast_slot_capacity(). */
void fast_slot_set_size(struct fast_slab *slab, unsigned index, size_t size_bytes);

/* To be called when a slot of fast_slot_read() is freed. */
void fast_slot_forget_end(struct fast_slab *slab, unsigned index);

/* --- Classes ---------------------------------------------------------------------------------- */

static inline bool fast_class_has_slot(const struct fast_class *class)
{
    return *class->word != 0;
}

/* The lowest free slot of the current word. Precondition: fast_class_has_slot(). */
static inline uint8_t *fast_class_take_slot(struct fast_class *class)
{
    uint64_t free = *class->word;
    *class->word = free & (free - 1);
    return class->slots + (size_t) class->stride_bytes * (unsigned)__builtin_ctzll(free);
}

/* Find another word with a free slot: in the current slab, else in the next one. False if the class
 * has none. Afterwards fast_class_has_slot() is what this returned. */
bool fast_class_refill(struct fast_state *fast, struct fast_class *class);

/* Open a slab for a request of that size and make it current. Precondition: the class has no free
 * slot, and the size is one of its sizes. False: a slab is not worth its memory, or there is none
 * without growing and that is not to be, or something is corrupt, recorded. */
bool fast_class_open_slab(struct heap *heap, struct fast_class *class, size_t size_bytes,
                          bool may_grow);

/* --- Slabs ------------------------------------------------------------------------------------ */

void fast_slabs_initialise(struct fast_state *fast);

/* To be called when a free has counted `used_count` down to 0: the slab was full, or has become
 * empty; or it is current, and stays that. */
void fast_slab_settle(struct heap *heap, struct fast_slab *slab);

/* Close all slabs in which there is no live block. There is an upper limit to how many there can
 * be, in a heap of any size, so this takes constant time, though more than any other operation.
 */
void fast_slabs_flush(struct heap *heap);

bool fast_slab_is_empty(const struct fast_slab *slab);

/* True if the address, in free memory of the core, was a slot of a slab that was closed, and the
 * memory has not been used since; then what it was asked for last. */
bool fast_slot_recall(const struct fast_state *fast, const uint8_t *address,
                      size_t *ret_size_bytes);

#endif
