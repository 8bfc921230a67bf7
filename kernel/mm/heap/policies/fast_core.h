/*
 * fast_core.h - the memory under the fast policy: sealed blocks (sealed_block.h), free ones in bins
 * by size.
 *
 * A free block's payload begins with two links, a place each, and ends with its footer. The free
 * memory at the end, the top, is in no bin: it is used last.
 *
 * Every operation takes constant time: a bin is found by two bit scans ("TLSF: a new dynamic memory
 * allocator for real-time systems", Masmano et al., ECRTS 2004), neighbours through header and
 * footer.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_CORE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_CORE_H

#include "kernel/mm/heap/policy.h"
#include "kernel/mm/heap/policies/sealed_block.h"

/* Links and a footer fit the smallest block. */
#define FAST_MINIMUM_UNITS ((size_t)2)

static inline size_t fast_units_for(size_t size_bytes)
{
    size_t units = sealed_units_for(size_bytes);
    return units < FAST_MINIMUM_UNITS ? FAST_MINIMUM_UNITS : units;
}

static inline uint8_t *fast_block_at(const struct fast_core *core, uint32_t place)
{
    return core->base + place * SEALED_UNIT_BYTES;
}

static inline uint32_t fast_place_of(const struct fast_core *core, const uint8_t *block)
{
    return (uint32_t)((size_t)(block - core->base) / SEALED_UNIT_BYTES);
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
    return heap->configuration.limit_bytes - heap->size_bytes +
           heap->fast.core.free_units * SEALED_UNIT_BYTES;
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

/* How many blocks of the request's own bin are looked at before the request is given up; one before
 * larger bins are, since a bin above 1 KiB holds several sizes. */
#define FAST_LAST_LOOKS 32

/* The bin in which a free block of that size is kept, and the least size in a bin. */
unsigned fast_core_bin_of(size_t units);
size_t fast_core_bin_least(unsigned bin);

/* The largest of a bin's first FAST_LAST_LOOKS blocks; 0 if it has none. */
size_t fast_core_largest_seen(const struct fast_core *core, unsigned bin);

/* Call `visit` for each block of the bin, up to a link or header that is not sound. */
void fast_core_walk_bin(const struct fast_core *core, unsigned bin, heap_piece_visitor *visit,
                        void *context);

/* True if the footer of a free block that is not the top is as it was written. */
bool fast_core_footer_is_sound(const struct fast_core *core, const uint8_t *block, size_t units);

/* NULL if the bins hold exactly the `free_count` free blocks and are linked as they should. */
const char *fast_core_check_bins(const struct fast_core *core, size_t free_count);

#endif
