/*
 * fast_core.h - the core of the fast policy: sealed blocks (sealed_block.h). Its free blocks are in
 * bins by size (fast_bin.h).
 *
 * The free memory at the end, the top, is in no bin. It is used last. Every operation takes
 * constant time, since header and footer lead to the neighbours.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_CORE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_CORE_H

#include "kernel/mm/heap/policies/fast_bin.h"
#include "kernel/mm/heap/policy.h"

/* The smallest block has room for links and a footer. */
#define FAST_MINIMUM_UNITS ((size_t)2)

/* Return the length of a block for this size. */
static inline size_t fast_units_for(size_t size_bytes)
{
    size_t units = sealed_units_for(size_bytes);
    return units < FAST_MINIMUM_UNITS ? FAST_MINIMUM_UNITS : units;
}

/* The same with 1 to 16 bytes of slack. Blocks of more than FAST_PADDED_MAX bytes get this length
 * if there is such a block, so that a free need not look at the next header. */
static inline size_t fast_medium_units_for(size_t size_bytes)
{
    return (size_bytes + SEALED_HEADER_BYTES + SEALED_UNIT_BYTES) / SEALED_UNIT_BYTES;
}

/* Return the first block, or the end marker. */
static inline uint8_t *fast_first(const struct fast_core *core)
{
    return core->first;
}

/* --- Free memory ------------------------------------------------------------------------------ */

/* Make [base, base + size_bytes) free. Precondition: both are multiples of 16. */
void fast_core_initialise(struct fast_core *core, uint8_t *base, size_t size_bytes,
                          struct sealed_secret secret);

/* Move the end up, or down by at most the top's size. */
void fast_core_move_end(struct fast_core *core, uint8_t *end);

/* Take a block of at least `units` at a multiple of `alignment_bytes` from the free memory. The
 * result *ret_header is its header (live, slack and alignment 0), which the caller completes and
 * writes. NULL: there is no such block, or the heap is corrupt and the fault is recorded. */
uint8_t *fast_core_take_aligned(struct heap *heap, size_t units, size_t alignment_bytes,
                                uint64_t *ret_header);

/* A block of the core that is live from now on. */
struct fast_taken {
    uint8_t *block; /* NULL for none */
    size_t units;   /* may be one more than were asked for */
};

/* Take a block of at least `units` from the first place where all blocks have room: there may be
 * others. Its header is not written. No block: there is none there, or the heap is corrupt and the
 * fault is recorded. */
struct fast_taken fast_core_take(struct heap *heap, size_t units);

/* The same, from the top. */
struct fast_taken fast_core_take_top(struct heap *heap, size_t units);

/* False if no free block has so many units. */
static inline bool fast_core_may_have_room(const struct fast_core *core, size_t units)
{
    return core->top_units >= units ||
           fast_bin_not_empty(core, fast_bin_of(units)) < FAST_BIN_COUNT;
}

/* Return the length of an own block together with the free memory before and behind it. The headers
 * are not checked: the result is only a hint. */
size_t fast_core_reach_units(const struct fast_core *core, const uint8_t *block);

/* True if fast_core_take() would find such a block, aligned to 16 bytes. */
bool fast_core_has_room(struct heap *heap, size_t size_bytes);

/* Return how much is free in the bins and at the end. */
static inline size_t fast_core_free_units(const struct fast_core *core)
{
    return core->bin_units + core->top_units;
}

/* Return the free memory plus the memory by which the heap may still grow. */
static inline size_t fast_core_room_bytes(const struct heap *heap)
{
    const struct fast_state *fast = fast_of(heap);
    return heap->limit_bytes - heap->size_bytes +
           (fast_core_free_units(&fast->core) + fast->absent.units) * SEALED_UNIT_BYTES;
}

/* Take a whole free block out of its bin. The block behind it then has no free block before it.
 * False: the heap is corrupt, and the fault is recorded. */
bool fast_core_detach(struct heap *heap, uint8_t *block, size_t units);

/* Free a block that is not in a bin, and merge it with its free neighbours. `header` is the content
 * of its header. False: a neighbour is corrupt, and the fault is recorded. */
bool fast_core_release(struct heap *heap, uint8_t *block, uint64_t header);

/* The same for memory between two blocks in use. The header behind it has SEALED_PREVIOUS_FREE
 * already. */
bool fast_core_add(struct heap *heap, uint8_t *block, size_t units);

/* Shorten the block to `units` and free the rest. `*header` is updated, but not written to memory.
 */
bool fast_core_shrink(struct heap *heap, uint8_t *block, size_t units, uint64_t *header);

/* Extend the block into the free memory behind it, if it then has at least `units`. If the top is
 * behind the block, the heap grows by the missing units. False: there is not enough memory.
 * `*header` is updated, but not written to memory. */
bool fast_core_expand(struct heap *heap, uint8_t *block, size_t units, uint64_t *header);

#endif
