#include "kernel/mm/heap/policies/fast_slot.h"

static uint64_t *end_word(struct fast_slab *slab, unsigned index)
{
    return &slab->free[fast_slab_word_count(slab->slot_count) + index / 64];
}

/* True if the slot has canaries behind the requested bytes. A free slot of a dense slab has none.
 * In a medium slab each live slot is marked. */
static bool has_end(const struct fast_slab *slab, unsigned index)
{
    uint64_t marks = slab->free[fast_slab_word_count(slab->slot_count) + index / 64];
    return fast_slab_is_padded(slab) || ((marks & ~slab->free[index / 64]) >> index % 64 & 1) != 0;
}

/* All bits but those of the last byte. */
#define CANARY_BITS (UINT64_MAX >> 8)

void fast_slot_begin(struct fast_state *fast)
{
    for (unsigned low_bits = 0; low_bits < 16; low_bits++) {
        bool is_in_first = low_bits < 8;
        fast->slack[0][low_bits] = is_in_first ? UINT64_MAX << low_bits * 8 : 0;
        fast->slack[1][low_bits] =
            is_in_first ? CANARY_BITS : UINT64_MAX << (low_bits - 8) * 8 & CANARY_BITS;
        fast->gap[0][low_bits] = ~fast->slack[0][low_bits];
        fast->gap[1][low_bits] = is_in_first ? 0 : ~(UINT64_MAX << (low_bits - 8) * 8);
    }
    fast->gap[0][FAST_GAP_BYTES] = fast->gap[1][FAST_GAP_BYTES] = UINT64_MAX;
}

/* Return the last byte of a slot with a block of this size. */
static uint8_t last_byte_for(const struct fast_slab *slab, size_t size_bytes)
{
    return (uint8_t)(slab->mark | (size_bytes & FAST_SIZE_BITS));
}

/* Return the low bits of the size from the last byte; more than 15 if that was overwritten. */
static uint8_t read_low_bits(const struct fast_slab *slab, const uint8_t *slot)
{
    return (uint8_t)(slot[slab->stride_bytes - 1] ^ slab->mark);
}

static bool end_is_intact(const struct fast_state *fast, const struct fast_slab *slab,
                          const uint8_t *slot, size_t *ret_size_bytes)
{
    size_t low_bits = read_low_bits(slab, slot);
    *ret_size_bytes = slab->least_bytes + low_bits;
    return low_bits <= FAST_SIZE_BITS &&
           fast_slot_canary_is_intact(fast, slot, *ret_size_bytes,
                                      fast_slot_end_words(slot, slab->least_bytes), low_bits);
}

static bool read_long_size(const struct fast_state *fast, const struct fast_slab *slab,
                           const uint8_t *slot, size_t *ret_size_bytes)
{
    const uint64_t *words = fast_slot_end_words(slot, slab->least_bytes);
    *ret_size_bytes = words[1] ^ fast_slot_long_word(fast, slab, slot);
    return words[0] == ~words[1] && *ret_size_bytes <= slab->least_bytes;
}

bool fast_slot_read_end(const struct fast_state *fast, const struct fast_slab *slab,
                        const uint8_t *slot, size_t *ret_size_bytes)
{
    uint64_t free_word;
    return (!fast_slab_is_medium(slab) && end_is_intact(fast, slab, slot, ret_size_bytes)) ||
           fast_slot_read_long_end(fast, slab, slot, ret_size_bytes, &free_word);
}

void fast_slot_move_end(const struct fast_state *fast, const struct fast_slab *slab, uint8_t *slot,
                        size_t size_bytes)
{
    uint64_t *words = fast_slot_end_words(slot, slab->least_bytes);
    uint64_t first = fast->slack[0][size_bytes % SEALED_UNIT_BYTES];
    uint64_t last = fast->slack[1][size_bytes % SEALED_UNIT_BYTES] | ~CANARY_BITS;
    uint64_t end = fast_slot_end_word(fast, slot, size_bytes, last_byte_for(slab, size_bytes));
    words[0] = (words[0] & ~first) | (end & first);
    words[1] = (words[1] & ~last) | (end & last);
}

/* In a dissolved slab the memory before a slot may belong to the core. */
static bool before_is_intact(const struct fast_slab *slab, unsigned index)
{
    return (slab->is_dissolved && index != 0 && fast_slot_is_free(slab, index - 1)) ||
           fast_slot_before_is_intact(slab, fast_slot_at(slab, index));
}

bool fast_slot_read(const struct fast_state *fast, const struct fast_slab *slab, unsigned index,
                    size_t *ret_size_bytes)
{
    *ret_size_bytes = slab->stride_bytes;
    return before_is_intact(slab, index) && fast_slot_next_is_intact(fast, slab, index) &&
           (!has_end(slab, index) ||
            fast_slot_read_end(fast, slab, fast_slot_at(slab, index), ret_size_bytes));
}

size_t fast_slot_size(const struct fast_state *fast, const struct fast_slab *slab, unsigned index)
{
    const uint8_t *slot = fast_slot_at(slab, index);
    size_t size_bytes = slab->stride_bytes;
    if (fast_slab_is_medium(slab))
        return read_long_size(fast, slab, slot, &size_bytes) ? size_bytes : 0;
    if (!has_end(slab, index) || read_long_size(fast, slab, slot, &size_bytes))
        return size_bytes;
    return slab->least_bytes + (read_low_bits(slab, slot) & FAST_SIZE_BITS);
}

/* A long end of a padded slot has its canaries where the first word of a free slot may lie, so a
 * usual end replaces it. */
void fast_slot_mark_free(const struct fast_state *fast, const struct fast_slab *slab,
                         unsigned index, size_t size_bytes)
{
    uint8_t *slot = fast_slot_at(slab, index);
    if (fast_slab_is_dense(slab) || (fast_slab_is_padded(slab) && size_bytes < slab->least_bytes))
        fast_slot_mark_unused(fast, slab, slot, 1);
    else
        fast_slot_write_free(slot, fast_slot_end_words(slot, slab->least_bytes)[1]);
}

void fast_slot_mark_unused(const struct fast_state *fast, const struct fast_slab *slab,
                           uint8_t *first, unsigned count)
{
    size_t stride_bytes = slab->stride_bytes;
    uint64_t last_byte = last_byte_for(slab, FAST_SIZE_BITS);
    uint8_t *slot = first;
    if (fast_slab_is_medium(slab)) {
        for (; count != 0; count--, slot += stride_bytes) {
            fast_slot_write_long_end(fast, slab, slot, slab->least_bytes);
            fast_slot_write_free(slot, fast_slot_end_words(slot, slab->least_bytes)[1]);
        }
        return;
    }
    if (fast_slab_is_dense(slab)) {
        for (; count != 0; count--, slot += stride_bytes)
            fast_slot_write_free(slot, fast_canary(fast, (uintptr_t)slot));
        return;
    }
    for (; count != 0; count--, slot += stride_bytes) {
        uint64_t last = fast_slot_end_word(fast, slot, stride_bytes - 1, last_byte);
        fast_slot_end_words(slot, stride_bytes - SEALED_UNIT_BYTES)[1] = last;
        fast_slot_write_free(slot, last);
    }
}

bool fast_slot_read_freed(const struct fast_state *fast, const struct fast_slab *slab,
                          const uint8_t *slot, size_t *ret_size_bytes)
{
    size_t low_bits = read_low_bits(slab, slot);
    if (fast_slab_is_medium(slab))
        return read_long_size(fast, slab, slot, ret_size_bytes);
    *ret_size_bytes = slab->least_bytes + low_bits;
    if (low_bits > FAST_SIZE_BITS)
        return false;
    uint64_t last = fast_slot_end_words(slot, slab->least_bytes)[1];
    uint64_t end = fast_slot_end_word(fast, slot, *ret_size_bytes, 0);
    return ((last ^ end) & fast->slack[1][low_bits]) == 0;
}

bool fast_slot_is_untouched(const struct fast_state *fast, const struct fast_slab *slab,
                            unsigned index)
{
    size_t size_bytes;
    const uint8_t *slot = fast_slot_at(slab, index);
    uint64_t first = *(const uint64_t *)(const void *)slot;
    if (fast_slab_is_dense(slab))
        return first == fast_canary(fast, (uintptr_t)slot);
    if (fast_slab_is_medium(slab))
        return first == fast_slot_end_words(slot, slab->least_bytes)[1] &&
               read_long_size(fast, slab, slot, &size_bytes);
    return first == fast_slot_end_words(slot, slab->least_bytes)[1] &&
           end_is_intact(fast, slab, slot, &size_bytes);
}

bool fast_slot_find(const struct fast_slab *slab, const void *address, unsigned *ret_index)
{
    uint64_t reciprocal =
        slab->reciprocal != 0 ? slab->reciprocal : fast_slot_reciprocal(slab->stride_bytes);
    return fast_slot_index_by(slab, reciprocal, address, ret_index);
}

void fast_slot_set_size(const struct fast_state *fast, struct fast_slab *slab, unsigned index,
                        size_t size_bytes)
{
    uint8_t *slot = fast_slot_at(slab, index);
    fast_slot_clear_end(slab, index);
    if (size_bytes == slab->stride_bytes)
        return;
    if (fast_slab_is_dense(slab)) {
        *end_word(slab, index) |= UINT64_C(1) << index % 64;
        slab->reciprocal = 0;
    }
    if (size_bytes >= slab->least_bytes && !fast_slab_is_medium(slab))
        fast_slot_move_end(fast, slab, slot, size_bytes);
    else
        fast_slot_write_long_end(fast, slab, slot, size_bytes);
}

void fast_slot_clear_end(struct fast_slab *slab, unsigned index)
{
    if (!fast_slab_is_dense(slab) || !has_end(slab, index))
        return;
    *end_word(slab, index) &= ~(UINT64_C(1) << index % 64);
    if (slab->is_dissolved)
        return;
    for (unsigned first = 0; first < slab->slot_count; first += 64) {
        if (*end_word(slab, first) != 0)
            return;
    }
    slab->reciprocal = fast_slot_reciprocal(slab->stride_bytes);
}
