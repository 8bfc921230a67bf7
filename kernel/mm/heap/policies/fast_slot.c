#include "kernel/mm/heap/policies/fast_slot.h"

static uint64_t *end_word(struct fast_slab *slab, unsigned index)
{
    return &slab->free[fast_slab_word_count(slab->slot_count) + index / 64];
}

/* True if the slot has canaries behind the requested bytes. */
static bool has_end(const struct fast_slab *slab, unsigned index)
{
    return fast_slab_is_padded(slab) ||
           (slab->free[fast_slab_word_count(slab->slot_count) + index / 64] >> index % 64 & 1) != 0;
}

/* Return where a short slot holds its size. */
static uint8_t *short_size_at(const uint8_t *slot, size_t stride_bytes)
{
    return (uint8_t *)(uintptr_t)(slot + stride_bytes - 15);
}

bool fast_slot_read_marked_size(const uint8_t *slot, size_t stride_bytes, size_t *ret_size_bytes)
{
    unsigned low_bits = fast_slot_read_mark(slot + stride_bytes);
    size_t marked_bytes = stride_bytes - 16 + low_bits;
    *ret_size_bytes = marked_bytes;
    if (low_bits != 0 || slot[marked_bytes] != FAST_SHORT)
        return low_bits <= 15;
    const uint8_t *said = short_size_at(slot, stride_bytes);
    *ret_size_bytes = (size_t)said[0] | (size_t)said[1] << 8;
    return (said[0] ^ said[2]) == 0xff && (said[1] ^ said[3]) == 0xff &&
           *ret_size_bytes < marked_bytes;
}

bool fast_slot_read(const struct fast_slab *slab, unsigned index, size_t *ret_size_bytes)
{
    const uint8_t *slot = fast_slot_at(slab, index);
    if (!has_end(slab, index)) {
        *ret_size_bytes = slab->stride_bytes;
        return true;
    }
    if (fast_slab_is_padded(slab) && !slab->is_dissolved && fast_slot_read_mark(slot) > 15)
        return false;
    return fast_slot_read_marked_size(slot, slab->stride_bytes, ret_size_bytes) &&
           slot[*ret_size_bytes] == SEALED_CANARY;
}

size_t fast_slot_size(const struct fast_slab *slab, unsigned index)
{
    size_t size_bytes;
    if (!has_end(slab, index))
        return slab->stride_bytes;
    return fast_slot_read_marked_size(fast_slot_at(slab, index), slab->stride_bytes, &size_bytes)
               ? size_bytes
               : 0;
}

bool fast_slot_find(const struct fast_slab *slab, const void *address, unsigned *ret_index)
{
    uint32_t reciprocal =
        slab->reciprocal != 0 ? slab->reciprocal : fast_slot_reciprocal(slab->stride_bytes);
    return fast_slot_index_by(slab, reciprocal, address, ret_index);
}

void fast_slot_set_size(struct fast_slab *slab, unsigned index, size_t size_bytes)
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
    if (size_bytes >= stride_bytes - 16) {
        fast_slot_mark_end(slot, stride_bytes, size_bytes);
        return;
    }
    uint8_t *said = short_size_at(slot, stride_bytes);
    fast_slot_mark_end(slot, stride_bytes, stride_bytes - 16);
    slot[stride_bytes - 16] = FAST_SHORT;
    said[0] = (uint8_t)size_bytes;
    said[1] = (uint8_t)(size_bytes >> 8);
    said[2] = (uint8_t)~said[0];
    said[3] = (uint8_t)~said[1];
    slot[size_bytes] = SEALED_CANARY;
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
