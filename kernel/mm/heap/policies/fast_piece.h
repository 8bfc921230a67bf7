/*
 * fast_piece.h - the pieces of a dissolved slab.
 *
 *   | slot 0 | slot 1 |t|h|  free |h| slot 5 | slot 6 |t|h|  free     |h| slot 12 |t|h| free |
 *     piece                 core       piece                core           piece         core
 *
 * A slab with few live blocks is dissolved: its memory becomes blocks of the core. Each group of
 * live slots becomes a piece, an own block of the core. The record of the slab stays, and with it
 * the bit and the place of each live slot. A piece ends 16 bytes behind its last slot. These hold
 * its tail t, and the header h of the block behind. t is sealed, and contains the size of the block
 * that was there, like a header. So an overrun of the last slot is found, and so is a second free
 * of the slot that was there.
 *
 * At first the whole slab is one piece. A run of free slots is cut out of its piece if it has room
 * for a free block of the core. The slots that still lie in a piece are held: all live slots, and
 * the free ones that were not cut out.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_PIECE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_PIECE_H

#include "kernel/mm/heap/policies/fast_map.h"
#include "kernel/mm/heap/policies/fast_slot.h"

/* True if the address lies in a held slot of a dissolved slab. */
bool fast_piece_holds(const struct fast_slab *slab, const void *address);

/* True if a slot of a dissolved slab is held. */
static inline bool fast_piece_has_slot(const struct fast_slab *slab, unsigned index)
{
    const uint64_t *marks = &slab->free[fast_slab_word_count(slab->slot_count)];
    return ((~slab->free[index / 64] | marks[index / 64]) >> index % 64 & 1) != 0;
}

/* True if the address is in the last page of a medium slab, and behind the slab. */
static inline bool fast_piece_is_behind(const struct fast_slab *slab, const void *address)
{
    size_t slots_bytes = (size_t)slab->slot_count * slab->stride_bytes;
    uintptr_t offset = (uintptr_t)address - (uintptr_t)slab->slots;
    return offset - slots_bytes - SEALED_UNIT_BYTES < FAST_PAGE_BYTES;
}

/* Return the slab if it has a slot at the address. Else return fast_no_slab: the address is in
 * memory of the core. Precondition: fast_map_find() returned the slab. */
static inline struct fast_slab *fast_piece_owner(struct fast_slab *slab, const void *address)
{
    bool is_core = (slab->is_dissolved && !fast_piece_holds(slab, address)) ||
                   fast_piece_is_behind(slab, address);
    return is_core ? &fast_no_slab : slab;
}

/* Return the first slot that begins in a piece, or in the whole slab. */
static inline unsigned fast_piece_first_slot(const struct fast_slab *slab, const uint8_t *piece)
{
    return piece <= slab->slots ? 0
                                : (unsigned)((size_t)(piece - slab->slots) / slab->stride_bytes);
}

/* Return the first slot from `index` on that is free and held, or slot_count. */
unsigned fast_piece_next_free(const struct fast_slab *slab, unsigned index);

/* Give the run of free slots around `index` to the core, if it has room for a block. *ret_end is
 * the first slot behind the run. Precondition: the slot is free and held. False: the heap is
 * corrupt, and the fault is recorded. */
bool fast_piece_cut(struct heap *heap, struct fast_slab *slab, unsigned index, unsigned *ret_end);

/* Write what a second free of this slot finds. */
void fast_piece_write_tombstone(const struct fast_state *fast, uint8_t *slot, size_t size_bytes);

/* True if the address is that of a slot that is no longer held. The size is that of its tombstone,
 * or the largest that it could have. */
bool fast_piece_was_slot(struct sealed_secret secret, const struct fast_slab *slab,
                         const uint8_t *address, size_t *ret_size_bytes);

/* Check the ends of the piece that has this live slot. If the slot is the piece's first one, the
 * header before it must be intact. If it is the last one, the tail behind it must be intact. */
bool fast_piece_is_intact(const struct fast_state *fast, const struct fast_slab *slab,
                          unsigned index);

#endif
