/*
 * fast_slot.h - a slot of a slab: its number, whether it is free, and its end (the picture is in
 * fast_slab.h).
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_SLOT_H
#define KERNEL_MM_HEAP_POLICIES_FAST_SLOT_H

#include "kernel/mm/heap/policies/fast_canary.h"
#include "kernel/mm/heap/policies/fast_slab.h"

#define FAST_GUARD_BYTES 16u

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

/* Take back fast_slot_make_free(). */
static inline void fast_slot_make_live(struct fast_slab *slab, unsigned index)
{
    slab->free[index / 64] &= ~(UINT64_C(1) << index % 64);
}

/* --- The ends of padded slots ----------------------------------------------------------------- */

static inline uint64_t *fast_slot_end_words(const uint8_t *slot, size_t stride_bytes)
{
    return (uint64_t *)(uintptr_t)(slot + stride_bytes - SEALED_UNIT_BYTES);
}

/* The canary of a block of this size. The address is one unit further, since the usual free then
 * needs one instruction less. */
static inline uint64_t fast_slot_canary(const struct fast_state *fast, const uint8_t *slot,
                                        size_t size_bytes)
{
    return fast_canary(fast, (uintptr_t)slot + size_bytes + SEALED_UNIT_BYTES);
}

/* Write the canary of a new block: all bytes behind it, and bytes of its own content in the slot's
 * last 16 bytes. Precondition: size_bytes < stride_bytes <= size_bytes + 16. */
static inline void fast_slot_mark_end(const struct fast_state *fast, uint8_t *slot,
                                      size_t stride_bytes, size_t size_bytes)
{
    uint64_t canary = fast_slot_canary(fast, slot, size_bytes);
    uint64_t *words = fast_slot_end_words(slot, stride_bytes);
    words[0] = canary;
    words[1] = canary >> 4 | (uint64_t)size_bytes << 60;
}

/* True if all bytes behind a live block are intact; its size is then read. False also for a short
 * slot. */
static inline bool fast_slot_end_is_intact(const struct fast_state *fast, const uint8_t *slot,
                                           size_t stride_bytes, size_t *ret_size_bytes)
{
    const uint64_t *words = fast_slot_end_words(slot, stride_bytes);
    size_t low_bits = words[1] >> 60;
    *ret_size_bytes = stride_bytes + low_bits - SEALED_UNIT_BYTES;
    uint64_t canary = fast_slot_canary(fast, slot, *ret_size_bytes);
    if (!HEAP_CHECKS)
        return low_bits != 0 || words[0] == canary; /* short slots need another way */
    return (((words[0] ^ canary) & fast->slack[0][low_bits]) |
            ((words[1] ^ canary >> 4) & fast->slack[1][low_bits])) == 0;
}

/* The same for a slot of any slab. The function treats every slot of a dense slab as usual.
 * *ret_free_word is for fast_slot_write_free(). */
static inline bool fast_slot_is_intact(const struct fast_state *fast, const struct fast_slab *slab,
                                       const uint8_t *slot, size_t *ret_size_bytes,
                                       uint64_t *ret_free_word)
{
    size_t stride_bytes = slab->stride_bytes;
    if (fast_slab_is_padded(slab)) {
        *ret_free_word = fast_slot_end_words(slot, stride_bytes)[1];
        return fast_slot_end_is_intact(fast, slot, stride_bytes, ret_size_bytes);
    }
    *ret_size_bytes = stride_bytes;
    *ret_free_word = fast_canary(fast, (uintptr_t)slot);
    return true;
}

/* Write the masks that fast_slot_end_is_intact() needs. */
void fast_slot_begin(struct fast_state *fast);

/* The same, also for short slots. */
bool fast_slot_read(const struct fast_state *fast, const struct fast_slab *slab, unsigned index,
                    size_t *ret_size_bytes);

/* Return the requested size of a slot. For a free slot it is the last requested size, or in a dense
 * slab the slot's size. 0 if its end was overwritten. */
size_t fast_slot_size(const struct fast_state *fast, const struct fast_slab *slab, unsigned index);

/* Read the size of a slot that has an end. False: the end was overwritten. */
bool fast_slot_read_end(const struct fast_state *fast, const uint8_t *slot, size_t stride_bytes,
                        size_t *ret_size_bytes);

/* --- Free slots ------------------------------------------------------------------------------- */

/* Write the first word of a free slot. In a padded slab it equals the slot's last word, which holds
 * the canary and the size of the last block there. In a dense slab it is a canary. */
static inline void fast_slot_write_free(uint8_t *slot, uint64_t free_word)
{
    *(uint64_t *)(void *)slot = free_word;
}

/* Mark a slot that was freed other than by the usual free. */
void fast_slot_mark_free(const struct fast_state *fast, const struct fast_slab *slab,
                         unsigned index, size_t size_bytes);

/* Mark slots that were never live. Each looks as if its last block had been the longest one, since
 * this takes the fewest instructions. */
void fast_slot_mark_unused(const struct fast_state *fast, const struct fast_slab *slab,
                           uint8_t *first, unsigned count);

/* True if the words of a free slot are intact. */
bool fast_slot_is_untouched(const struct fast_state *fast, const struct fast_slab *slab,
                            unsigned index);

/* Read the size of the last block of a free slot that has an end. False: the end was overwritten. */
bool fast_slot_read_freed(const struct fast_state *fast, const uint8_t *slot, size_t stride_bytes,
                          size_t *ret_size_bytes);

/* Write the canary behind a block that keeps its content. Precondition: as above. */
void fast_slot_move_end(const struct fast_state *fast, uint8_t *slot, size_t stride_bytes,
                        size_t size_bytes);

/* Write the guard before slot 0, and check it. */
void fast_slot_write_guard(const struct fast_state *fast, const struct fast_slab *slab);
bool fast_slot_guard_is_intact(const struct fast_state *fast, const struct fast_slab *slab);

/* As fast_slot_index(), also in a slab that has no `reciprocal`. */
bool fast_slot_find(const struct fast_slab *slab, const void *address, unsigned *ret_index);

/* Return the size of the largest block that a slot can hold. */
static inline size_t fast_slot_capacity(const struct fast_slab *slab)
{
    return slab->stride_bytes - (fast_slab_is_padded(slab) ? 1u : 0u);
}

/* Write the end of a live slot. Precondition: size_bytes <= fast_slot_capacity(). */
void fast_slot_set_size(const struct fast_state *fast, struct fast_slab *slab, unsigned index,
                        size_t size_bytes);

/* Call this when a slot is freed that fast_slot_read() has validated. */
void fast_slot_clear_end(struct fast_slab *slab, unsigned index);

#endif
