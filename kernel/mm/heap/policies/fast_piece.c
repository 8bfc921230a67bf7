#include "kernel/mm/heap/policies/fast_piece.h"

#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policies/fast_class.h"

/* --- Runs of slots ---------------------------------------------------------------------------- */

/* The bits behind the last slot are those of free and held slots. */
static inline uint64_t free_and_held(const struct fast_slab *slab, unsigned word)
{
    return slab->free[word] & slab->free[fast_slab_word_count(slab->slot_count) + word];
}

static inline uint64_t not_held(const struct fast_slab *slab, unsigned word)
{
    return slab->free[word] & ~slab->free[fast_slab_word_count(slab->slot_count) + word];
}

/* Return the first slot from `index` on that is not free, or not held; or slot_count. */
static inline unsigned run_end(const struct fast_slab *slab, unsigned index)
{
    unsigned word = index / 64;
    uint64_t others = ~free_and_held(slab, word) & UINT64_MAX << index % 64;
    while (others == 0 && ++word < fast_slab_word_count(slab->slot_count))
        others = ~free_and_held(slab, word);
    return others == 0 ? slab->slot_count : word * 64 + (unsigned)__builtin_ctzll(others);
}

/* Return the first slot of the run of free and held ones that includes `index`. */
static inline unsigned run_start(const struct fast_slab *slab, unsigned index)
{
    unsigned word = index / 64;
    uint64_t others = ~free_and_held(slab, word) & ~(UINT64_MAX << index % 64);
    while (others == 0 && word != 0)
        others = ~free_and_held(slab, --word);
    return others == 0 ? 0 : word * 64 + 64 - (unsigned)__builtin_clzll(others);
}

/* Return the first slot of the piece that has this one. */
static inline unsigned piece_start(const struct fast_slab *slab, unsigned index)
{
    unsigned word = index / 64;
    uint64_t others = not_held(slab, word) & ~(UINT64_MAX << index % 64);
    while (others == 0 && word != 0)
        others = not_held(slab, --word);
    return others == 0 ? 0 : word * 64 + 64 - (unsigned)__builtin_clzll(others);
}

unsigned fast_piece_next_free(const struct fast_slab *slab, unsigned index)
{
    unsigned word = index / 64;
    uint64_t found = free_and_held(slab, word) & UINT64_MAX << index % 64;
    while (found == 0 && ++word < fast_slab_word_count(slab->slot_count))
        found = free_and_held(slab, word);
    unsigned next = word * 64 + (found == 0 ? 0 : (unsigned)__builtin_ctzll(found));
    return next < slab->slot_count ? next : slab->slot_count;
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
void fast_piece_write_tombstone(const struct fast_state *fast, uint8_t *slot, size_t size_bytes)
{
    const struct sealed_secret *secret = &fast->core.secret;
    uint64_t tombstone = tombstone_for(size_bytes);
    sealed_write_word(*secret, slot, tombstone);
    sealed_write_tombstone(slot, sealed_word(*secret, slot - SEALED_HEADER_BYTES, tombstone));
}

/* Write the tail of the piece that ends with this free slot. The slot may have a tombstone there,
 * which is as good. */
static void write_tail(const struct fast_state *fast, const struct fast_slab *slab, unsigned index)
{
    uint64_t content;
    const struct sealed_secret *secret = &fast->core.secret;
    uint8_t *slot = fast_slot_at(slab, index);
    if (!sealed_read_word(*secret, slot, &content))
        sealed_write_word(*secret, slot, tombstone_for(fast_slot_size(fast, slab, index)));
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

bool fast_piece_is_intact(const struct fast_state *fast, const struct fast_slab *slab,
                          unsigned index)
{
    uint64_t content;
    const struct sealed_secret *secret = &fast->core.secret;
    const uint8_t *slot = fast_slot_at(slab, index);
    if (index != 0 && !fast_piece_has_slot(slab, index - 1) &&
        !sealed_read_header(*secret, slot, &content))
        return false;
    return index + 1 == slab->slot_count || fast_piece_has_slot(slab, index + 1) ||
           sealed_read_word(*secret, slot + slab->stride_bytes, &content);
}

/* --- Cutting ---------------------------------------------------------------------------------- */

/* A run of free slots in a piece. */
struct run {
    unsigned first;
    unsigned end;
    bool has_left;  /* slots of the piece lie before the run, */
    bool has_right; /* or behind it */
};

static inline struct run run_around(const struct fast_slab *slab, unsigned index)
{
    unsigned first = run_start(slab, index);
    unsigned end = run_end(slab, index);
    end = end < slab->slot_count ? end : slab->slot_count;
    /* A neighbour that is live is held. One that is free is not, or it would belong to the run. */
    return (struct run){.first = first,
                        .end = end,
                        .has_left = first != 0 && !fast_slot_is_free(slab, first - 1),
                        .has_right = end != slab->slot_count && !fast_slot_is_free(slab, end)};
}

/* The slots of the run are no longer held. */
static inline void release_marks(struct fast_slab *slab, struct run run)
{
    uint64_t *marks = fast_slab_marks(slab);
    unsigned last = run.end - 1;
    uint64_t from = UINT64_MAX << run.first % 64;
    for (unsigned word = run.first / 64; word != last / 64; word++, from = UINT64_MAX)
        marks[word] &= ~from;
    marks[last / 64] &= ~(from & UINT64_MAX >> (63 - last % 64));
}

/* Return the start of the piece that contains the run. */
static inline uint8_t *piece_of(const struct fast_slab *slab, struct run run)
{
    unsigned first = run.has_left ? piece_start(slab, run.first) : run.first;
    size_t guard_bytes = first == 0 ? fast_class_first_bytes(slab->class_index) : 0;
    return fast_slot_at(slab, first) - guard_bytes;
}

/* Cut [from, to) out of the piece. What is left before and behind it, if it is not empty, becomes a
 * piece. */
static inline bool cut(struct heap *heap, uint8_t *piece, uint64_t header, uint8_t *from,
                       uint8_t *to)
{
    const struct sealed_secret *secret = &fast_of(heap)->core.secret;
    uint8_t *end = sealed_next(piece, sealed_units(header));
    size_t units = (size_t)(to - from) / SEALED_UNIT_BYTES;
    uint64_t previous_free = header & SEALED_PREVIOUS_FREE;
    if (from != piece) {
        sealed_write_header(*secret, piece,
                            sealed_with_units(header, (size_t)(from - piece) / SEALED_UNIT_BYTES));
        previous_free = 0;
    }
    if (to != end) {
        /* fast_core_release() sets the flag itself. */
        uint64_t flags =
            previous_free == 0 ? header | SEALED_PREVIOUS_FREE : header & ~SEALED_PREVIOUS_FREE;
        sealed_write_header(*secret, to,
                            sealed_with_units(flags, (size_t)(end - to) / SEALED_UNIT_BYTES));
        if (previous_free == 0)
            return fast_core_add(heap, from, units);
    }
    return fast_core_release(heap, from, sealed_header(units, SEALED_LIVE) | previous_free);
}

bool fast_piece_cut(struct heap *heap, struct fast_slab *slab, unsigned index, unsigned *ret_end)
{
    const struct fast_state *fast = fast_of(heap);
    uint64_t header;
    struct run run = run_around(slab, index);
    uint8_t *piece = piece_of(slab, run);
    *ret_end = run.end;
    if (!sealed_read_header(fast->core.secret, piece, &header))
        return sealed_record_corrupt(heap, piece);
    heap_zero_set_dirty(heap);
    if (!run.has_left && !run.has_right) {
        release_marks(slab, run);
        return fast_core_release(heap, piece, header);
    }
    uint8_t *from = run.has_left ? fast_slot_at(slab, run.first) + SEALED_UNIT_BYTES : piece;
    uint8_t *to =
        run.has_right ? fast_slot_at(slab, run.end) : sealed_next(piece, sealed_units(header));
    if (to < from + FAST_MINIMUM_UNITS * SEALED_UNIT_BYTES)
        return true;
    if (run.has_left)
        write_tail(fast, slab, run.first);
    release_marks(slab, run);
    return cut(heap, piece, header, from, to);
}
