/*
 * fast_slot.h - a slot of a slab: its number, whether it is free, and its end (the picture is in
 * fast_slab.h).
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_SLOT_H
#define KERNEL_MM_HEAP_POLICIES_FAST_SLOT_H

#include "kernel/mm/heap/policies/fast_slab.h"

#define FAST_GUARD_BYTES 16u

/* The last byte of a padded slot holds this and 4 bits of the size. If all 4 bits are set, it is
 * SEALED_CANARY. */
#define FAST_END_MARK 0xb0u

/* This byte marks a size that is too short for the usual mark. It stands in place of the canary of
 * the shortest usual size. Not ASCII, 0 or 0xff. */
#define FAST_SHORT ((uint8_t)0xb7)

/* --- Numbers and bits ------------------------------------------------------------------------- */

static inline uint32_t fast_slot_reciprocal(size_t stride_bytes)
{
    return (uint32_t)(UINT32_MAX / stride_bytes + 1);
}

/* True, and *ret_index is the slot's number, if the address is that of a slot. The product with
 * 2^32 / stride has the quotient above its low 32 bits. The low bits are less than the factor
 * exactly if the remainder is 0 (Lemire, Kaser and Kurz, "Faster remainder by direct computation",
 * 2019). An offset below 0 has a quotient beyond all slots. */
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

/* Mark the slot as free. False: it is free already, and nothing has changed. */
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

/* The low 4 bits of the size that fast_slot_mark_end() was given, from the last byte of a slot;
 * more than 15 if that was overwritten. */
static inline unsigned fast_slot_read_mark(const uint8_t *slot_end)
{
    return (unsigned)slot_end[-1] ^ FAST_END_MARK;
}

/* True if the canaries around a live slot are intact; its size is then read. False also for a short
 * slot. The function treats every slot of a dense slab as usual. */
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

/* The same, also for short slots. */
bool fast_slot_read(const struct fast_slab *slab, unsigned index, size_t *ret_size_bytes);

/* Return the requested size of a slot. For a free slot it is the last requested size, or in a dense
 * slab the slot's size. 0 if its end was overwritten. */
size_t fast_slot_size(const struct fast_slab *slab, unsigned index);

/* Read the size of a slot that has an end from the end's mark. False: the mark was overwritten. */
bool fast_slot_read_marked_size(const uint8_t *slot, size_t stride_bytes, size_t *ret_size_bytes);

/* As fast_slot_index(), also in a slab that has no `reciprocal`. */
bool fast_slot_find(const struct fast_slab *slab, const void *address, unsigned *ret_index);

/* Return the size of the largest block that a slot can hold. */
static inline size_t fast_slot_capacity(const struct fast_slab *slab)
{
    return slab->stride_bytes - (fast_slab_is_padded(slab) ? 1u : 0u);
}

/* Write the end of a live slot. Precondition: size_bytes <= fast_slot_capacity(). */
void fast_slot_set_size(struct fast_slab *slab, unsigned index, size_t size_bytes);

/* Call this when a slot is freed that fast_slot_read() has validated. */
void fast_slot_clear_end(struct fast_slab *slab, unsigned index);

#endif
