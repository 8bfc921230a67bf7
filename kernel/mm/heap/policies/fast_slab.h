/*
 * fast_slab.h - slabs of the fast policy: slots of one length in 1 to 15 pages of 8 KiB.
 *
 *   page                                                              page
 *   | guard | slot 0        | slot 1        | slot 2        |…        |… slot n      | rest |
 *     16 B    payload |ccccc|  payload  |ccc|
 *
 * A padded slot is longer than the requested size. All bytes c behind the requested ones are a
 * canary (fast_canary.h). The lowest 4 bits of the last one are those of the size, so the end says
 * where it begins. Its highest 4 bits are the class's mark, which comes from the canaries' key. A
 * free checks all of these bytes, and the mark in the byte before the slot. The guard before the
 * first slot ends with the mark, too; heap_check() reads all of the guard.
 *
 * Sizes that are multiples of 16 pay 16 bytes for this. If there are many such blocks, further ones
 * go to dense slabs, without guard and canaries, to save memory. A free of a dense slot reads the
 * first word of the next one, if that is free. So an overrun into a live slot is not found. Double
 * and interior frees are still found exactly.
 *
 * Medium slabs have slots for sizes of an eighth of a power of two, up to 16 KiB. Their slots have
 * long ends (fast_slot.h). The core has the rest of each slab's last page.
 *
 * The first word of a free slot equals its last word, or in a dense slab it is a canary. So
 * heap_check() finds a write to a freed block. An allocation does not look at it, since this would
 * cost it five instructions. The slots are prepared in this way a few at a time, so that the time
 * of each operation is bounded. The slot that the operation takes needs no preparation. A medium
 * class takes each of its slots so for the first time.
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
 * A block that cannot move may shrink in its slot, and leave more than 16 bytes. Its slot then has
 * a long end, too. In a dense slab a second bit for each slot says whether the slot has an end. If
 * any slot has one, the slab's `reciprocal` is 0. The free then calls the function that reads these
 * bits.
 *
 * A class allocates from one word of bits of its current slab. A bit scan finds the lowest free
 * slot. When the word is used up, the next word with a free slot has its turn, so that frees have
 * time to fill each of them. A full slab is on no list once the class has noticed. The other slabs
 * are on the class's list of partial slabs, or with few live blocks on that of sparse ones
 * (fast_dissolve.h). A slab that has lost its last live block is closed, except for the last few of
 * the heap (fast_state.empty).
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_SLAB_H
#define KERNEL_MM_HEAP_POLICIES_FAST_SLAB_H

#include "kernel/mm/heap/policies/fast_own.h"

#define FAST_PAGE_BYTES ((size_t)8192)
#define FAST_LEAF_PAGES 64
#define FAST_LEAF_BYTES (FAST_LEAF_PAGES * FAST_PAGE_BYTES)
/* The most pages of a slab, and of a medium one. They are counted in 4 bits. */
#define FAST_SLAB_PAGES      4
#define FAST_MEDIUM_PAGES    15
#define FAST_PAGE_COUNT_MASK 15u

struct fast_slab {
    uint8_t *slots;             /* slot 0 */
    uint32_t reciprocal;        /* as fast_class.reciprocal; 0 in fast_no_slab, and see above */
    uint32_t padded_reciprocal; /* the same; 0 in other slabs, so the usual free finds no slot */
    uint32_t mark;              /* of its slots' last bytes */
    uint32_t mark_before; /* the same; the usual free reads both from memory, without a register */
    int32_t end_byte;     /* plus a size: 0 if it fills the slot; else the lowest byte is the last
                             one of a slot with a block of this size */
    uint16_t slot_count;
    uint16_t stride_bytes;
    uint16_t used_count;    /* live blocks of a current or sparse slab. Of a partial one: those
                               above half of its slots (fast_class_floor()). 1 if it is full and not
                               current. It reaches 0 in the free that changes the slab's list. */
    uint16_t reached_count; /* so many slots were taken once or are prepared */
    uint16_t least_bytes;   /* stride_bytes - 16: the least padded size, the largest medium one */
    uint8_t class_index;
    uint8_t page_count : 4;
    bool is_full : 1;
    bool is_sparse : 1;
    bool counts_above : 1; /* it is on the list of partial slabs */
    bool is_dissolved : 1; /* its memory belongs to the core, except for its pieces */
    union {
        struct { /* on one of the class's lists, or on that of dissolved slabs */
            struct fast_slab *next;
            struct fast_slab *previous;
        };
        struct { /* of a current slab: bit i of the word: slot i from `word_slots` on is free */
            uint64_t *word;
            uint8_t *word_slots;
            uint64_t unready; /* the word's bits without a slot that is prepared */
        };
    };
    uint64_t seal; /* of the members that do not change: fast_slab_is_sound() */
    /* Bit i of word w: slot 64 w + i is not live. The bits behind the last slot are set, too, so
     * that a free needs no other test of a slot's number. The same number of words follows, the
     * marks. In a dense slab they mark live slots that are longer than the requested size and have
     * an end. In a dissolved slab they also mark the free slots that lie in a piece. */
    uint64_t free[];
};

static inline bool fast_class_is_dense(size_t class_index)
{
    return class_index >= FAST_PADDED_CLASSES && class_index < FAST_FIRST_MEDIUM;
}

static inline bool fast_class_is_medium(size_t class_index)
{
    return class_index >= FAST_FIRST_MEDIUM;
}

static inline bool fast_slab_is_padded(const struct fast_slab *slab)
{
    return slab->class_index < FAST_PADDED_CLASSES;
}

static inline bool fast_slab_is_dense(const struct fast_slab *slab)
{
    return fast_class_is_dense(slab->class_index);
}

static inline bool fast_slab_is_medium(const struct fast_slab *slab)
{
    return fast_class_is_medium(slab->class_index);
}

/* True if the record lies in the heap, and its place, slots and length are those that it was made
 * with. This is looked at by heap_check(), by a free whose count reaches 0, and before an unusual
 * pointer is checked. */
bool fast_slab_is_sound(const struct fast_state *fast, const struct fast_slab *slab);

/* True if a link leads to a place in the heap where a record may lie. */
static inline bool fast_slab_is_inside(const struct fast_state *fast, const struct fast_slab *slab)
{
    const size_t units = (sizeof *slab + SEALED_UNIT_BYTES - 1) / SEALED_UNIT_BYTES;
    return fast_block_index(&fast->core, (const void *)slab) + units <= fast->core.last_index;
}

/* Take a slab off a list that has these ends. A stray write may have changed the links, so both
 * neighbours must lead back before one of them is written to. False: one does not, and nothing has
 * changed. */
static inline bool fast_slab_unlink(const struct fast_state *fast, struct fast_slab *slab,
                                    struct fast_slab **first, struct fast_slab **last)
{
    struct fast_slab *next = slab->next;
    struct fast_slab *previous = slab->previous;
    if (next != NULL && !fast_slab_is_inside(fast, next))
        return false;
    if (previous != NULL && !fast_slab_is_inside(fast, previous))
        return false;
    struct fast_slab **forward = previous != NULL ? &previous->next : first;
    struct fast_slab **backward = next != NULL ? &next->previous : last;
    if (*forward != slab || *backward != slab)
        return false;
    *forward = next;
    *backward = previous;
    return true;
}

/* Stands for no slab. Never written. */
extern struct fast_slab fast_no_slab;

/* --- Free slots ------------------------------------------------------------------------------- */

/* The bit behind the last slot has a word, too. */
static inline unsigned fast_slab_word_count(unsigned slot_count)
{
    return slot_count / 64 + 1;
}

/* The words behind the words of free slots. */
static inline uint64_t *fast_slab_marks(struct fast_slab *slab)
{
    return &slab->free[fast_slab_word_count(slab->slot_count)];
}

static inline bool fast_slab_is_empty(const struct fast_slab *slab)
{
    return slab->used_count == 0;
}

/* --- Slabs of a class ------------------------------------------------------------------------- */

/* Do one step towards the next slab of a class with this current slab: create a leaf or records, or
 * free a leaf of many. Without a map this does nothing. The heap does not grow. */
void fast_slab_prepare(struct heap *heap, const struct fast_slab *current);

/* Open a slab for a request of that size and make it current. Precondition: the class has no free
 * slot, and the size is one of its sizes. False: a slab is not worth its memory, or there is no
 * memory and the heap must not grow, or the heap is corrupt and the fault is recorded. */
bool fast_slab_open(struct heap *heap, size_t class_index, size_t size_bytes, bool may_grow);

/* Call this when a free has counted `used_count` down to 0. The slab was full and gets on the list
 * of partial slabs, or it has become empty. Then it is kept for a while, and closed if too many
 * others are empty. */
void fast_slab_relist(struct heap *heap, struct fast_slab *slab);

/* The slab is no longer one of those that are kept without live blocks. These have no gap. */
void fast_slab_forget_empty(struct fast_state *fast, const struct fast_slab *slab);

/* Close a slab without a live block that has enough memory for a block of `units`, together with
 * the free memory around it. False: there is none. */
bool fast_slab_flush_for(struct heap *heap, size_t units);

/* Free records or a leaf that no slab uses. If the heap keeps some, then only if there are many: so
 * there is a place for those of the next slab which is closed. */
void fast_slab_release_surplus(struct heap *heap, bool keeps_some);

/* Close a slab without a live block, the oldest of them, or free memory that is kept for the next
 * slab. False: there is none. */
bool fast_slab_flush_one(struct heap *heap);

/* Close all slabs without a live block. */
void fast_slab_flush(struct heap *heap);

/* True if little memory is left below the heap's limit. The heap then opens no slab, and does not keep
 * memory for one. */
static inline bool fast_slab_memory_is_short(const struct heap *heap)
{
    return fast_core_room_bytes(heap) < heap->limit_bytes / 2;
}

#endif
