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
 * counts more: further ones go to dense slabs, without guard and canaries. An overrun
 * there is not found; double and interior frees still are, exactly.
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

#include "kernel/mm/heap/policies/fast_own.h"

#define FAST_PAGE_BYTES ((size_t)8192)
#define FAST_LEAF_PAGES 64
#define FAST_LEAF_BYTES (FAST_LEAF_PAGES * FAST_PAGE_BYTES)
#define FAST_SLAB_PAGES 4

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

/* --- Free slots ------------------------------------------------------------------------------- */

static inline unsigned fast_slab_word_count(unsigned slot_count)
{
    return (slot_count + 63) / 64;
}

/* The word of a slab all of whose slots are free. */
static inline uint64_t fast_slab_all_free(unsigned slot_count, unsigned word)
{
    unsigned count = slot_count - word * 64;
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

bool fast_slab_is_empty(const struct fast_slab *slab);

/* --- Slabs of a class ------------------------------------------------------------------------- */

/* Open a slab for a request of that size and make it current. Precondition: the class has no free
 * slot, and the size is one of its sizes. False: a slab is not worth its memory, or there is none
 * without growing and that is not to be, or something is corrupt, recorded. */
bool fast_slab_open(struct heap *heap, struct fast_class *size_class, size_t size_bytes,
                    bool may_grow);

/* Put a slab on the list where it belongs now. To be called when a free has counted `used_count`
 * down to 0: the slab was full, or has become empty; or it is current, and stays that. */
void fast_slab_relist(struct heap *heap, struct fast_slab *slab);

/* Close all slabs in which there is no live block. There is an upper limit to how many there can
 * be, in a heap of any size, so this takes constant time, though more than any other operation.
 */
void fast_slab_flush(struct heap *heap);

#endif
