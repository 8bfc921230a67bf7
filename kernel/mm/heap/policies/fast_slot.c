#include "kernel/mm/heap/policies/fast_slot.h"

static uint64_t *end_word(struct fast_slab *slab, unsigned index)
{
    return &slab->free[fast_slab_word_count(slab->slot_count) + index / 64];
}

/* True if the slot has canaries behind the requested bytes. A free slot of a dense slab has none. */
static bool has_end(const struct fast_slab *slab, unsigned index)
{
    uint64_t marks = slab->free[fast_slab_word_count(slab->slot_count) + index / 64];
    return fast_slab_is_padded(slab) || ((marks & ~slab->free[index / 64]) >> index % 64 & 1) != 0;
}

/* The highest 4 bits hold the low bits of the size. */
#define LAST_BITS (UINT64_MAX >> 4)

void fast_slot_begin(struct fast_state *fast)
{
    for (unsigned low_bits = 0; low_bits < 16; low_bits++) {
        bool is_in_first = low_bits < 8;
        fast->slack[0][low_bits] = is_in_first ? UINT64_MAX << low_bits * 8 : 0;
        fast->slack[1][low_bits] =
            is_in_first ? LAST_BITS : UINT64_MAX << (low_bits - 8) * 8 & LAST_BITS;
    }
}

/* Read the size of a short slot: it has the size 0 in its last 4 bits, the complement of the canary
 * of that end in the first word, and its size in the second one. */
static bool read_short_size(const struct fast_state *fast, const uint8_t *slot, size_t stride_bytes,
                            size_t *ret_size_bytes)
{
    const uint64_t *words = fast_slot_end_words(slot, stride_bytes);
    uint64_t canary = fast_canary(fast, (uintptr_t)words);
    *ret_size_bytes = words[1] ^ canary >> 4;
    return words[0] == ~canary && *ret_size_bytes < stride_bytes - SEALED_UNIT_BYTES;
}

/* The first byte behind a block in a short slot is a canary, too. */
static bool short_is_intact(const struct fast_state *fast, const uint8_t *slot, size_t stride_bytes,
                            size_t *ret_size_bytes)
{
    return read_short_size(fast, slot, stride_bytes, ret_size_bytes) &&
           slot[*ret_size_bytes] == (uint8_t)fast_slot_canary(fast, slot, *ret_size_bytes);
}

static void write_short(const struct fast_state *fast, uint8_t *slot, size_t stride_bytes,
                        size_t size_bytes)
{
    uint64_t *words = fast_slot_end_words(slot, stride_bytes);
    uint64_t canary = fast_canary(fast, (uintptr_t)words);
    words[0] = ~canary;
    words[1] = canary >> 4 ^ size_bytes;
    slot[size_bytes] = (uint8_t)fast_slot_canary(fast, slot, size_bytes);
}

bool fast_slot_read_end(const struct fast_state *fast, const uint8_t *slot, size_t stride_bytes,
                        size_t *ret_size_bytes)
{
    return fast_slot_end_is_intact(fast, slot, stride_bytes, ret_size_bytes) ||
           short_is_intact(fast, slot, stride_bytes, ret_size_bytes);
}

void fast_slot_move_end(const struct fast_state *fast, uint8_t *slot, size_t stride_bytes,
                        size_t size_bytes)
{
    uint64_t canary = fast_slot_canary(fast, slot, size_bytes);
    uint64_t *words = fast_slot_end_words(slot, stride_bytes);
    uint64_t first = fast->slack[0][size_bytes % SEALED_UNIT_BYTES];
    uint64_t last = fast->slack[1][size_bytes % SEALED_UNIT_BYTES];
    words[0] = (words[0] & ~first) | (canary & first);
    words[1] = (words[1] & ~last & LAST_BITS) | (canary >> 4 & last) | size_bytes << 60;
}

bool fast_slot_read(const struct fast_state *fast, const struct fast_slab *slab, unsigned index,
                    size_t *ret_size_bytes)
{
    *ret_size_bytes = slab->stride_bytes;
    return !has_end(slab, index) ||
           fast_slot_read_end(fast, fast_slot_at(slab, index), slab->stride_bytes, ret_size_bytes);
}

size_t fast_slot_size(const struct fast_state *fast, const struct fast_slab *slab, unsigned index)
{
    const uint8_t *slot = fast_slot_at(slab, index);
    size_t size_bytes = slab->stride_bytes;
    if (!has_end(slab, index) || read_short_size(fast, slot, slab->stride_bytes, &size_bytes))
        return size_bytes;
    (void)fast_slot_end_is_intact(fast, slot, slab->stride_bytes, &size_bytes);
    return size_bytes;
}

/* A short end has its canaries where the first word of a free slot may lie, so a usual end replaces
 * it. */
void fast_slot_mark_free(const struct fast_state *fast, const struct fast_slab *slab,
                         unsigned index, size_t size_bytes)
{
    uint8_t *slot = fast_slot_at(slab, index);
    if (!fast_slab_is_padded(slab) || size_bytes < slab->stride_bytes - SEALED_UNIT_BYTES)
        fast_slot_mark_unused(fast, slab, slot, 1);
    else
        fast_slot_write_free(slot, fast_slot_end_words(slot, slab->stride_bytes)[1]);
}

void fast_slot_mark_unused(const struct fast_state *fast, const struct fast_slab *slab,
                           uint8_t *first, unsigned count)
{
    size_t stride_bytes = slab->stride_bytes;
    uint8_t *slot = first;
    if (!fast_slab_is_padded(slab)) {
        for (; count != 0; count--, slot += stride_bytes)
            fast_slot_write_free(slot, fast_canary(fast, (uintptr_t)slot));
        return;
    }
    for (; count != 0; count--, slot += stride_bytes) {
        uint64_t canary = fast_slot_canary(fast, slot, stride_bytes - 1);
        uint64_t last = canary >> 4 | UINT64_C(15) << 60;
        fast_slot_end_words(slot, stride_bytes)[1] = last;
        fast_slot_write_free(slot, last);
    }
}

bool fast_slot_read_freed(const struct fast_state *fast, const uint8_t *slot, size_t stride_bytes,
                          size_t *ret_size_bytes)
{
    uint64_t last = fast_slot_end_words(slot, stride_bytes)[1];
    unsigned low_bits = (unsigned)(last >> 60);
    *ret_size_bytes = stride_bytes + low_bits - SEALED_UNIT_BYTES;
    uint64_t canary = fast_slot_canary(fast, slot, *ret_size_bytes);
    return ((last ^ canary >> 4) & fast->slack[1][low_bits]) == 0;
}

/* In a slot of 16 bytes the first word is also the first one of its end. */
bool fast_slot_is_untouched(const struct fast_state *fast, const struct fast_slab *slab,
                            unsigned index)
{
    size_t size_bytes;
    uint64_t free_word;
    const uint8_t *slot = fast_slot_at(slab, index);
    bool is_intact = fast_slot_is_intact(fast, slab, slot, &size_bytes, &free_word);
    return *(const uint64_t *)(const void *)slot == free_word &&
           (is_intact || (slab->stride_bytes == SEALED_UNIT_BYTES &&
                          fast_slot_read_freed(fast, slot, slab->stride_bytes, &size_bytes)));
}

void fast_slot_write_guard(const struct fast_state *fast, const struct fast_slab *slab)
{
    uint64_t *words = (void *)(slab->slots - FAST_GUARD_BYTES);
    words[0] = words[1] = fast_canary(fast, (uintptr_t)words);
}

bool fast_slot_guard_is_intact(const struct fast_state *fast, const struct fast_slab *slab)
{
    const uint64_t *words = (const void *)(slab->slots - FAST_GUARD_BYTES);
    return words[0] == fast_canary(fast, (uintptr_t)words) && words[1] == words[0];
}

bool fast_slot_find(const struct fast_slab *slab, const void *address, unsigned *ret_index)
{
    uint32_t reciprocal =
        slab->reciprocal != 0 ? slab->reciprocal : fast_slot_reciprocal(slab->stride_bytes);
    return fast_slot_index_by(slab, reciprocal, address, ret_index);
}

void fast_slot_set_size(const struct fast_state *fast, struct fast_slab *slab, unsigned index,
                        size_t size_bytes)
{
    size_t stride_bytes = slab->stride_bytes;
    uint8_t *slot = fast_slot_at(slab, index);
    fast_slot_clear_end(slab, index);
    if (size_bytes == stride_bytes)
        return;
    if (!fast_slab_is_padded(slab)) {
        *end_word(slab, index) |= UINT64_C(1) << index % 64;
        slab->reciprocal = 0;
    }
    if (size_bytes >= stride_bytes - SEALED_UNIT_BYTES)
        fast_slot_move_end(fast, slot, stride_bytes, size_bytes);
    else
        write_short(fast, slot, stride_bytes, size_bytes);
}

void fast_slot_clear_end(struct fast_slab *slab, unsigned index)
{
    if (fast_slab_is_padded(slab) || !has_end(slab, index))
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
