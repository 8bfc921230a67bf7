#include "kernel/mm/heap/policies/fast_piece.h"

#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policies/fast_class.h"

/* --- Runs of slots ---------------------------------------------------------------------------- */

enum run {
    HELD,
    HELD_AND_FREE,
};

static uint64_t bits_of(const struct fast_slab *slab, enum run kind, unsigned word)
{
    uint64_t free = slab->free[word];
    uint64_t mark = slab->free[fast_slab_word_count(slab->slot_count) + word];
    return kind == HELD ? ~free | mark : free & mark;
}

/* Return the first slot from `index` on that is not of this kind, or slot_count. */
static unsigned run_end(const struct fast_slab *slab, enum run kind, unsigned index)
{
    uint64_t ignored = (UINT64_C(1) << index % 64) - 1;
    for (unsigned word = index / 64; word < fast_slab_word_count(slab->slot_count); word++) {
        uint64_t others = ~bits_of(slab, kind, word) & ~ignored;
        if (others != 0) {
            unsigned end = word * 64 + (unsigned)__builtin_ctzll(others);
            return end < slab->slot_count ? end : slab->slot_count;
        }
        ignored = 0;
    }
    return slab->slot_count;
}

/* Return the first slot of the run of this kind that ends behind `index`. */
static unsigned run_start(const struct fast_slab *slab, enum run kind, unsigned index)
{
    uint64_t looked_at = UINT64_MAX >> (63 - index % 64);
    for (unsigned word = index / 64;; word--) {
        uint64_t others = ~bits_of(slab, kind, word) & looked_at;
        if (others != 0)
            return word * 64 + 64 - (unsigned)__builtin_clzll(others);
        if (word == 0)
            return 0;
        looked_at = UINT64_MAX;
    }
}

unsigned fast_piece_next_free(const struct fast_slab *slab, unsigned index)
{
    uint64_t ignored = (UINT64_C(1) << index % 64) - 1;
    for (unsigned word = index / 64; word < fast_slab_word_count(slab->slot_count); word++) {
        uint64_t found = bits_of(slab, HELD_AND_FREE, word) & ~ignored;
        if (found != 0) {
            unsigned next = word * 64 + (unsigned)__builtin_ctzll(found);
            return next < slab->slot_count ? next : slab->slot_count;
        }
        ignored = 0;
    }
    return slab->slot_count;
}

bool fast_piece_holds(const struct fast_slab *slab, const void *address)
{
    uint32_t offset = (uint32_t)((uintptr_t)address - (uintptr_t)slab->slots);
    unsigned index = offset / slab->stride_bytes;
    return index < slab->slot_count && fast_piece_has_slot(slab, index);
}

/* --- Words around a piece --------------------------------------------------------------------- */

/* A word like the header of a block of this size. */
static uint64_t tombstone_for(size_t size_bytes)
{
    size_t units = sealed_units_for(size_bytes);
    uint64_t slack_bytes = sealed_capacity_bytes(units) - size_bytes;
    return sealed_header(units, SEALED_LIVE) | slack_bytes << SEALED_SLACK_SHIFT;
}

/* It has two places, since one of them may become part of a header, or a link. */
void fast_piece_write_tombstone(struct sealed_secret secret, uint8_t *slot, size_t size_bytes)
{
    uint64_t tombstone = tombstone_for(size_bytes);
    sealed_write_word(secret, slot, tombstone);
    sealed_write_tombstone(slot, sealed_word(secret, slot - SEALED_HEADER_BYTES, tombstone));
}

/* Write the tail of the piece that ends with this free slot. The slot may have a tombstone there,
 * which is as good. */
static void write_tail(const struct fast_state *fast, const struct fast_slab *slab, unsigned index)
{
    uint64_t content;
    struct sealed_secret secret = fast->core.secret;
    uint8_t *slot = fast_slot_at(slab, index);
    if (!sealed_read_word(secret, slot, &content))
        sealed_write_word(secret, slot, tombstone_for(fast_slot_size(fast, slab, index)));
}

bool fast_piece_was_slot(struct sealed_secret secret, const struct fast_slab *slab,
                         const uint8_t *address, size_t *ret_size_bytes)
{
    unsigned index;
    uint64_t tombstone;
    if (!fast_slot_find(slab, address, &index) || index >= slab->slot_count ||
        fast_piece_has_slot(slab, index))
        return false;
    *ret_size_bytes = fast_slot_capacity(slab);
    if (sealed_read_word(secret, address, &tombstone) ||
        sealed_read_tombstone(secret, address, &tombstone))
        *ret_size_bytes = smaller(*ret_size_bytes, sealed_size(tombstone));
    return true;
}

bool fast_piece_is_intact(struct sealed_secret secret, const struct fast_slab *slab, unsigned index)
{
    uint64_t content;
    const uint8_t *slot = fast_slot_at(slab, index);
    if (index != 0 && !fast_piece_has_slot(slab, index - 1) &&
        !sealed_read_header(secret, slot, &content))
        return false;
    return index + 1 == slab->slot_count || fast_piece_has_slot(slab, index + 1) ||
           sealed_read_word(secret, slot + slab->stride_bytes, &content);
}

/* --- Cutting ---------------------------------------------------------------------------------- */

/* The slots from `first` to `end` are no longer held. Precondition: first < end. */
static void release_marks(struct fast_slab *slab, unsigned first, unsigned end)
{
    for (unsigned word = first / 64; word <= (end - 1) / 64; word++) {
        uint64_t from = word == first / 64 ? UINT64_MAX << first % 64 : UINT64_MAX;
        uint64_t to = word == end / 64 ? (UINT64_C(1) << end % 64) - 1 : UINT64_MAX;
        fast_slab_marks(slab)[word] &= ~(from & to);
    }
}

/* Return the start of the piece that contains this held slot. */
static uint8_t *piece_of(const struct fast_slab *slab, unsigned index)
{
    unsigned first = run_start(slab, HELD, index);
    size_t guard_bytes = first == 0 ? fast_class_first_bytes(slab->class_index) : 0;
    return fast_slot_at(slab, first) - guard_bytes;
}

/* Cut [from, to) out of the piece. What is left before and behind it, if it is not empty, becomes a
 * piece. */
static bool cut(struct heap *heap, uint8_t *piece, uint64_t header, uint8_t *from, uint8_t *to)
{
    struct sealed_secret secret = fast_of(heap)->core.secret;
    uint8_t *end = sealed_next(piece, sealed_units(header));
    uint64_t previous_free = header & SEALED_PREVIOUS_FREE;
    if (to != end)
        sealed_write_header(secret, to,
                            sealed_with_units(header & ~SEALED_PREVIOUS_FREE,
                                              (size_t)(end - to) / SEALED_UNIT_BYTES));
    if (from != piece) {
        sealed_write_header(secret, piece,
                            sealed_with_units(header, (size_t)(from - piece) / SEALED_UNIT_BYTES));
        previous_free = 0;
    }
    heap_zero_set_dirty(heap);
    return fast_core_release(heap, from,
                             sealed_header((size_t)(to - from) / SEALED_UNIT_BYTES, SEALED_LIVE) |
                                 previous_free);
}

bool fast_piece_cut(struct heap *heap, struct fast_slab *slab, unsigned index, unsigned *ret_end)
{
    struct sealed_secret secret = fast_of(heap)->core.secret;
    uint64_t header;
    unsigned first = run_start(slab, HELD_AND_FREE, index);
    unsigned end = run_end(slab, HELD_AND_FREE, index);
    bool has_left = first > 0 && fast_piece_has_slot(slab, first - 1);
    bool has_right = end < slab->slot_count && fast_piece_has_slot(slab, end);
    uint8_t *piece = piece_of(slab, first);
    *ret_end = end;
    if (!sealed_read_header(secret, piece, &header))
        return sealed_record_corrupt(heap, piece);
    uint8_t *from = has_left ? fast_slot_at(slab, first) + SEALED_UNIT_BYTES : piece;
    uint8_t *to = has_right ? fast_slot_at(slab, end) : sealed_next(piece, sealed_units(header));
    bool is_all = !has_left && !has_right;
    if (!is_all && to < from + FAST_MINIMUM_UNITS * SEALED_UNIT_BYTES)
        return true;
    if (has_left)
        write_tail(fast_of(heap), slab, first);
    release_marks(slab, first, end);
    return cut(heap, piece, header, from, to);
}
