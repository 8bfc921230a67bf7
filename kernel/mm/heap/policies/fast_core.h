/*
 * fast_core.h - the memory under the fast policy: sealed blocks (sealed_block.h), free ones in bins
 * by size (fast_bin.h).
 *
 * The free memory at the end, the top, is in no bin: it is used last. Every operation takes
 * constant time: neighbours are found through header and footer.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_CORE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_CORE_H

#include "kernel/mm/heap/policies/fast_bin.h"
#include "kernel/mm/heap/policy.h"

/* Links and a footer fit the smallest block. */
#define FAST_MINIMUM_UNITS ((size_t)2)

static inline size_t fast_units_for(size_t size_bytes)
{
    size_t units = sealed_units_for(size_bytes);
    return units < FAST_MINIMUM_UNITS ? FAST_MINIMUM_UNITS : units;
}

/* The first block, or the end marker. */
static inline uint8_t *fast_first(const struct fast_core *core)
{
    return core->base + SEALED_UNIT_BYTES;
}

/* --- Free memory ------------------------------------------------------------------------------ */

/* [base, base + size_bytes), both multiples of 16, becomes free. */
void fast_core_initialise(struct fast_core *core, uint8_t *base, size_t size_bytes,
                          uint64_t secret);

/* The end moves up, or down by no more than the top. */
void fast_core_move_end(struct fast_core *core, uint8_t *end);

/* Take a block of at least `units` at a multiple of `alignment_bytes` out of the free memory; its
 * header is returned (live, slack 0), for the caller to complete and write. NULL if there is none,
 * or if something is corrupt, which is then recorded. */
uint8_t *fast_core_take(struct heap *heap, size_t units, size_t alignment_bytes,
                        uint64_t *ret_header);

/* True if fast_core_take() would find such a block, aligned to 16 bytes. */
bool fast_core_has_room(struct heap *heap, size_t size_bytes);

/* What is free, and what the heap may still grow by. */
static inline size_t fast_core_room_bytes(const struct heap *heap)
{
    return heap->limit_bytes - heap->size_bytes +
           fast_of(heap)->core.free_units * SEALED_UNIT_BYTES;
}

/* True if a bin holds a free block of at least `units` and less than `limit_units` (<= 64). */
static inline bool fast_core_has_hole(const struct fast_core *core, size_t units,
                                      size_t limit_units)
{
    uint64_t bins = core->bin_bits[0] & ((UINT64_C(1) << limit_units) - 1);
    return bins >> units != 0;
}

/* Free a block that is not in a bin; `header` is what its header says. It is merged with its free
 * neighbours. False: one of them is corrupt, recorded. */
bool fast_core_release(struct heap *heap, uint8_t *block, uint64_t header);

/* Make the block end after `units`; the rest becomes free. `*header` is updated, not written. */
bool fast_core_shrink(struct heap *heap, uint8_t *block, size_t units, uint64_t *header);

/* Let the block take in the free memory behind it, if that makes at least `units`; before the top,
 * the heap grows by what is missing. False: it does not. `*header` is updated, not written. */
bool fast_core_expand(struct heap *heap, uint8_t *block, size_t units, uint64_t *header);

#endif
