/*
 * fast_slab.h - slabs of the fast policy: slots of one size in 1 to 4 pages of 8 KiB.
 *
 *   page                                                              page
 *   | guard | slot 0        | slot 1        | slot 2        |…        |… slot n      | rest |
 *     16 B    payload |c..k|  payload   |c.k|
 *
 * A padded slot is longer than the requested size. c is the first byte behind the requested bytes;
 * it is SEALED_CANARY. k is the slot's last byte. It is a canary, too, and holds the low 4 bits of
 * the size. (If all 4 bits are set, c and k are the same byte.)
 *
 * Sizes that are multiples of 16 pay 16 bytes for this. If there are many such blocks, further ones
 * go to dense slabs, without guard and canaries, to save memory. An overrun there is not found.
 * Double and interior frees are still found exactly.
 *
 * The record of a slab lies apart from its pages. (In the pages, all records would compete for the
 * same few cache lines, since pages begin at multiples of 4096.) The record has a bit for each
 * slot, which is set while the slot is free. A map of two levels leads from a page to the record:
 *
 *   map            struct fast_leaf           struct fast_slab
 *   | 512 KiB | -> | page 0 | page 1 |…  ->   | slots, stride, …, a bit for each slot |
 *
 * Without a slab the map leads to fast_no_slab, which has no slots, so a lookup needs no extra
 * test. The map has a place for each 512 KiB up to the heap's limit. The places are written a few
 * at a time, beginning at the first slab, so that no operation's time depends on the limit. A leaf
 * is freed with its last slab, the map with its last leaf.
 *
 * A block that cannot move may shrink in its slot, and be too short for the mark. Its slot is then
 * short. The mark's byte says that 16 bytes are left over. The first of them is FAST_SHORT instead
 * of a canary. The size and its complement follow. In a dense slab a second bit for each slot says
 * whether the slot has such an end. If any slot has one, the slab's `reciprocal` is 0. The usual
 * free then calls the function that reads these bits.
 *
 * A class allocates from one word of bits of its current slab. A bit scan finds the lowest free
 * slot. The current slab's used count is not updated, since this would be one more write for each
 * block. It is set again when the slab is full. A full slab is on no list. Other slabs are on the
 * class's list of partial slabs, or without a live block on the list of spare ones.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_SLAB_H
#define KERNEL_MM_HEAP_POLICIES_FAST_SLAB_H

#include "kernel/mm/heap/policies/fast_own.h"

#define FAST_PAGE_BYTES      ((size_t)8192)
#define FAST_LEAF_PAGES      64
#define FAST_LEAF_BYTES      (FAST_LEAF_PAGES * FAST_PAGE_BYTES)
#define FAST_SLAB_PAGES      4
#define FAST_PAGE_COUNT_MASK 31u

struct fast_slab {
    uint8_t *slots;      /* slot 0 */
    uint32_t reciprocal; /* as fast_class.reciprocal; 0 in fast_no_slab, and see above */
    uint32_t slot_count;
    uint16_t used_count;  /* live blocks above `floor_count`; 1 if it is full; not valid while it
                            is current */
    uint16_t floor_count; /* with this many live blocks it becomes sparse; 0 if it is sparse */
    uint16_t stride_bytes;
    uint8_t class_index;
    uint8_t page_count : 5;
    bool is_full : 1;
    bool is_sparse : 1;
    bool is_dissolved : 1;  /* its memory belongs to the core, except for its pieces */
    struct fast_slab *next; /* on one of the class's lists, or on that of dissolved slabs */
    struct fast_slab *previous;
    /* Bit i of word w: slot 64 w + i is free. The same number of words follows, the marks. In a
     * dense slab they mark live slots that are longer than the requested size and have an end. In
     * a dissolved slab they also mark the free slots that lie in a piece. */
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

/* The words behind the words of free slots. */
static inline uint64_t *fast_slab_marks(struct fast_slab *slab)
{
    return &slab->free[fast_slab_word_count(slab->slot_count)];
}

bool fast_slab_is_empty(const struct fast_slab *slab);

/* --- Slabs of a class ------------------------------------------------------------------------- */

/* Open a slab for a request of that size and make it current. Precondition: the class has no free
 * slot, and the size is one of its sizes. False: a slab is not worth its memory, or there is no
 * memory and the heap must not grow, or the heap is corrupt and the fault is recorded. */
bool fast_slab_open(struct heap *heap, struct fast_class *size_class, size_t size_bytes,
                    bool may_grow);

/* Put a slab on the list where it belongs now. Call this when a free has counted `used_count` down
 * to 0. The slab was full, or has become empty, or is current and stays current. */
void fast_slab_relist(struct heap *heap, struct fast_slab *slab);

/* Close all slabs without a live block. Their number has a limit in a heap of any size. So this
 * takes constant time, but more than any other operation. */
void fast_slab_flush(struct heap *heap);

#endif
