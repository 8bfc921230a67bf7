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
    return (uint32_t)((UINT64_C(1) << 32) / stride_bytes + 1);
}

/* True, and *ret_index is the slot's number, if the address is that of a slot, or of the place
 * behind the last one. The product with the factor has the quotient above its low 32 bits. The low
 * bits are less than the factor exactly if the remainder is 0 (Lemire, Kaser and Kurz, "Faster
 * remainder by direct computation", 2019). They are not if the address is in the guard. The factor
 * is more than 2^32 / stride, also for powers of two, since the guard of a slab of 16-byte slots
 * would pass otherwise. Precondition: the address is in the slab's pages, or the factor is 0. */
static inline bool fast_slot_index_by(const struct fast_slab *slab, uint64_t reciprocal,
                                      const void *address, unsigned *ret_index)
{
    uint64_t product = ((uintptr_t)address - (uintptr_t)slab->slots) * reciprocal;
    *ret_index = (unsigned)(product >> 32);
    return (uint32_t)product < (uint32_t)reciprocal;
}

static inline bool fast_slot_index(const struct fast_slab *slab, const void *address,
                                   unsigned *ret_index)
{
    return fast_slot_index_by(slab, slab->reciprocal, address, ret_index);
}

/* As fast_slot_index(), but false in a slab that is not padded. So the usual free knows early which
 * end a slot has, and does not wait for the slot's bytes. */
static inline bool fast_slot_padded_index(const struct fast_slab *slab, const void *address,
                                          unsigned *ret_index)
{
    return fast_slot_index_by(slab, slab->padded_reciprocal, address, ret_index);
}

static inline uint8_t *fast_slot_at(const struct fast_slab *slab, unsigned index)
{
    return slab->slots + (size_t)index * slab->stride_bytes;
}

/* True also for the place behind the last slot. */
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

/* The last byte's bits that are not the size's. */
#define FAST_END_SHIFT 56
#define FAST_SIZE_BITS 15u

/* A mark is 8 to 14: an overrun often has ASCII, or a byte that begins with 0 or f. */
#define FAST_FIRST_MARK 8
#define FAST_MARK_COUNT 7

/* Return the mark of the class's slabs. */
static inline uint32_t fast_slot_mark(const struct fast_state *fast, size_t class_index)
{
    uint32_t bits = (uint32_t)(fast->core.secret.canaries.second >> class_index % 32);
    uint32_t number = FAST_FIRST_MARK + (uint32_t)((uint64_t)bits * FAST_MARK_COUNT >> 32);
    return number << 4;
}

/* Return the `end_byte` of the class's slabs, which have this mark. */
static inline int32_t fast_slot_end_byte(uint32_t mark, size_t class_index, size_t stride_bytes)
{
    if (fast_class_is_dense(class_index))
        return -(int32_t)stride_bytes;
    unsigned least_bytes = (unsigned)(stride_bytes - SEALED_UNIT_BYTES);
    return (int32_t)(((mark - least_bytes) & 255) + 256);
}

static inline uint64_t *fast_slot_end_words(const uint8_t *slot, size_t least_bytes)
{
    return (uint64_t *)(uintptr_t)(slot + least_bytes);
}

/* Return the word that stands twice at the end of a block of this size. */
static inline uint64_t fast_slot_end_word(const struct fast_state *fast, const uint8_t *slot,
                                          size_t size_bytes, uint64_t last_byte)
{
    uint64_t canary = fast_canary(fast, (uintptr_t)slot + size_bytes);
    return canary >> 8 | last_byte << FAST_END_SHIFT;
}

/* Write the canary of a new block: all bytes behind it, and bytes of its own content in the slot's
 * last 16 bytes. Precondition: size_bytes < stride_bytes <= size_bytes + 16. */
static inline void fast_slot_mark_end(const struct fast_state *fast, uint8_t *slot,
                                      size_t stride_bytes, size_t size_bytes, uint64_t last_byte)
{
    uint64_t *words = fast_slot_end_words(slot, stride_bytes - SEALED_UNIT_BYTES);
    words[0] = words[1] = fast_slot_end_word(fast, slot, size_bytes, last_byte);
}

/* True if all bytes behind a live block are intact, apart from the last one, which holds the low
 * bits of its size. The first word is compared with the second one. */
static inline bool fast_slot_canary_is_intact(const struct fast_state *fast, const uint8_t *slot,
                                              size_t size_bytes, const uint64_t *words,
                                              size_t low_bits)
{
    uint64_t last = words[1];
    uint64_t first = (words[0] ^ last) & fast->slack[0][low_bits];
    if (!HEAP_CHECKS)
        return low_bits != 0 || words[0] == last; /* long ends need another way */
    uint64_t canary = fast_canary(fast, (uintptr_t)slot + size_bytes) >> 8;
    return (((last ^ canary) & fast->slack[1][low_bits]) | first) == 0;
}

/* True if a live slot of a padded slab has intact bytes behind its block, and the mark before it;
 * its size is then read. False also for a slot with a long end. *ret_free_word is for
 * fast_slot_write_free(). */
static inline bool fast_slot_is_usual(const struct fast_state *fast, const struct fast_slab *slab,
                                      const uint8_t *slot, size_t *ret_size_bytes,
                                      uint64_t *ret_free_word)
{
    size_t least_bytes = slab->least_bytes;
    const uint64_t *words = fast_slot_end_words(slot, least_bytes);
    uint64_t low_bits = slot[least_bytes + SEALED_UNIT_BYTES - 1] ^ slab->mark;
    uint64_t before = HEAP_CHECKS ? slot[-1] ^ slab->mark_before : 0;
    *ret_size_bytes = least_bytes + low_bits;
    *ret_free_word = words[1];
    return (low_bits | before) <= FAST_SIZE_BITS &&
           fast_slot_canary_is_intact(fast, slot, *ret_size_bytes, words, low_bits);
}

/* --- Long ends -------------------------------------------------------------------------------- */

/* A slot whose block leaves more than 16 bytes has a long end: the last word holds a canary and the
 * size, the word before it is the complement, and the 16 bytes behind the block hold the canary, as
 * far as there is room. Each medium slot has such an end. */

/* Return the last word of such a slot for a block of 0 bytes. */
static inline uint64_t fast_slot_long_word(const struct fast_state *fast,
                                           const struct fast_slab *slab, const uint8_t *slot)
{
    return fast_slot_end_word(fast, slot, slab->stride_bytes, slab->mark);
}

static inline void fast_slot_write_long_end(const struct fast_state *fast,
                                            const struct fast_slab *slab, uint8_t *slot,
                                            size_t size_bytes)
{
    uint64_t canary = fast_slot_long_word(fast, slab, slot);
    uint64_t *words = fast_slot_end_words(slot, slab->least_bytes);
    __builtin_memcpy(slot + size_bytes, &canary, sizeof canary);
    __builtin_memcpy(slot + size_bytes + sizeof canary, &canary, sizeof canary);
    words[1] = canary ^ size_bytes;
    words[0] = ~words[1];
}

/* True if the bytes between a block and the two words at its slot's end are intact, up to 16. */
static inline bool fast_slot_gap_is_intact(const struct fast_state *fast, const uint8_t *slot,
                                           size_t size_bytes, size_t gap_bytes, uint64_t canary)
{
    uint64_t first;
    uint64_t second;
    size_t checked_bytes = gap_bytes < FAST_GAP_BYTES ? gap_bytes : FAST_GAP_BYTES;
    __builtin_memcpy(&first, slot + size_bytes, sizeof first);
    __builtin_memcpy(&second, slot + size_bytes + sizeof first, sizeof second);
    return (((first ^ canary) & fast->gap[0][checked_bytes]) |
            ((second ^ canary) & fast->gap[1][checked_bytes])) == 0;
}

/* Read the size of a slot with a long end. False: it has another end, or that was overwritten.
 * *ret_free_word is for fast_slot_write_free(). */
static inline bool fast_slot_read_long_end(const struct fast_state *fast,
                                           const struct fast_slab *slab, const uint8_t *slot,
                                           size_t *ret_size_bytes, uint64_t *ret_free_word)
{
    uint64_t canary = fast_slot_long_word(fast, slab, slot);
    const uint64_t *words = fast_slot_end_words(slot, slab->least_bytes);
    uint64_t last = words[1];
    size_t size_bytes = last ^ canary;
    *ret_size_bytes = size_bytes;
    *ret_free_word = last;
    if (words[0] != ~last || size_bytes > slab->least_bytes)
        return false;
    size_t gap_bytes = slab->least_bytes - size_bytes;
    return !HEAP_CHECKS || fast_slot_gap_is_intact(fast, slot, size_bytes, gap_bytes, canary);
}

/* As fast_slot_is_usual(), for a medium slab. */
static inline bool fast_slot_is_usual_medium(const struct fast_state *fast,
                                             const struct fast_slab *slab, const uint8_t *slot,
                                             size_t *ret_size_bytes, uint64_t *ret_free_word)
{
    uint32_t before = HEAP_CHECKS ? slot[-1] ^ slab->mark_before : 0;
    return before <= FAST_SIZE_BITS &&
           fast_slot_read_long_end(fast, slab, slot, ret_size_bytes, ret_free_word);
}

/* True if the byte before the slot has the mark, or the slab has no marks. */
static inline bool fast_slot_before_is_intact(const struct fast_slab *slab, const uint8_t *slot)
{
    return !HEAP_CHECKS || fast_slab_is_dense(slab) ||
           (uint8_t)(slot[-1] ^ slab->mark) <= FAST_SIZE_BITS;
}

/* As fast_slot_is_usual(), for a slot of any slab. It treats every slot of a dense slab as usual. */
static inline bool fast_slot_is_intact(const struct fast_state *fast, const struct fast_slab *slab,
                                       const uint8_t *slot, size_t *ret_size_bytes,
                                       uint64_t *ret_free_word)
{
    if (fast_slab_is_padded(slab))
        return fast_slot_is_usual(fast, slab, slot, ret_size_bytes, ret_free_word);
    if (fast_slab_is_medium(slab))
        return fast_slot_is_usual_medium(fast, slab, slot, ret_size_bytes, ret_free_word);
    *ret_size_bytes = slab->stride_bytes;
    *ret_free_word = fast_canary(fast, (uintptr_t)slot);
    return true;
}

/* Write the masks that fast_slot_canary_is_intact() needs. */
void fast_slot_begin(struct fast_state *fast);

/* As fast_slot_is_intact(), also for long ends. Precondition: the slot is live. */
bool fast_slot_read(const struct fast_state *fast, const struct fast_slab *slab, unsigned index,
                    size_t *ret_size_bytes);

/* Return the requested size of a slot. For a free slot it is the last requested size, or in a dense
 * slab the slot's size. 0 if its end was overwritten. */
size_t fast_slot_size(const struct fast_state *fast, const struct fast_slab *slab, unsigned index);

/* Read the size of a slot that has an end. False: the end was overwritten. */
bool fast_slot_read_end(const struct fast_state *fast, const struct fast_slab *slab,
                        const uint8_t *slot, size_t *ret_size_bytes);

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
bool fast_slot_read_freed(const struct fast_state *fast, const struct fast_slab *slab,
                          const uint8_t *slot, size_t *ret_size_bytes);

/* True if the slot behind this one of a dense slab is intact, or is not free. An overrun of the
 * slot meets the first word of the next one. */
static inline bool fast_slot_next_is_intact(const struct fast_state *fast,
                                            const struct fast_slab *slab, unsigned index)
{
    unsigned next = index + 1;
    const uint8_t *slot = fast_slot_at(slab, next);
    return !HEAP_CHECKS || !fast_slab_is_dense(slab) || slab->is_dissolved ||
           next >= slab->reached_count || !fast_slot_is_free(slab, next) ||
           *(const uint64_t *)(const void *)slot == fast_canary(fast, (uintptr_t)slot);
}

/* Write the canary behind a block that keeps its content. Precondition: size_bytes < stride_bytes and
 * stride_bytes <= size_bytes + 16. */
void fast_slot_move_end(const struct fast_state *fast, const struct fast_slab *slab, uint8_t *slot,
                        size_t size_bytes);

/* Both words of the guard before slot 0 are like the end of a slot before that one. */
static inline uint64_t fast_slot_guard_word(const struct fast_state *fast, const uint8_t *slots,
                                            uint32_t mark)
{
    return fast_slot_end_word(fast, slots, 0, (uint8_t)mark);
}

/* Write the guard of a slab that is not dense, and check it. A dense slab has none to check. */
static inline void fast_slot_write_guard(const struct fast_state *fast, uint8_t *slots,
                                         uint32_t mark)
{
    uint64_t *words = (void *)(slots - FAST_GUARD_BYTES);
    words[0] = words[1] = fast_slot_guard_word(fast, slots, mark);
}

static inline bool fast_slot_guard_is_intact(const struct fast_state *fast,
                                             const struct fast_slab *slab)
{
    const uint64_t *words = (const void *)(slab->slots - FAST_GUARD_BYTES);
    if (!HEAP_CHECKS || fast_slab_is_dense(slab))
        return true;
    return words[0] == fast_slot_guard_word(fast, slab->slots, slab->mark) && words[1] == words[0];
}

/* As fast_slot_index(), also in a slab that has no `reciprocal`. */
bool fast_slot_find(const struct fast_slab *slab, const void *address, unsigned *ret_index);

/* Return the size of the largest block that a slot can hold. */
static inline size_t fast_slot_capacity(const struct fast_slab *slab)
{
    if (fast_slab_is_medium(slab))
        return slab->least_bytes;
    return slab->stride_bytes - (fast_slab_is_padded(slab) ? 1u : 0u);
}

/* Write the end of a live slot. Precondition: size_bytes <= fast_slot_capacity(). */
void fast_slot_set_size(const struct fast_state *fast, struct fast_slab *slab, unsigned index,
                        size_t size_bytes);

/* Call this when a slot is freed that fast_slot_read() has validated. */
void fast_slot_clear_end(struct fast_slab *slab, unsigned index);

#endif
