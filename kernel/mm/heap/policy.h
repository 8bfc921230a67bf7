/*
 * policy.h - what a policy provides, and what it counts.
 *
 * A policy divides the range [base, base + size_bytes) and validates the pointers that come back.
 * It serves the operations of heap.h in one of two ways:
 *
 *   - whole: `operations` are its own functions (fast.c, which counts every instruction);
 *   - by division only: `operations` is plain_operations (plain.c), which validates sizes and
 *     alignments, counts, moves, grows and shrinks, and calls `plain` for the rest.
 *
 * Every function records what is wrong (heap_fault.h) and then fails; the operation reports it. A
 * bad pointer leaves the heap unchanged. After a corruption the heap serves nothing any more, so
 * nobody sees what the operation left half done.
 */
#ifndef KERNEL_MM_HEAP_POLICY_H
#define KERNEL_MM_HEAP_POLICY_H

#include "kernel/mm/heap/heap_state.h"

/* What was asked for. `alignment_bytes` is a power of two >= HEAP_ALIGNMENT_BYTES;
 * size_bytes + alignment_bytes is below the heap's limit, so that sums do not wrap. */
struct heap_request {
    size_t size_bytes;
    size_t alignment_bytes;
    const void *caller;
};

/* What a policy knows of a live block. */
struct heap_block_info {
    size_t size_bytes; /* as asked for */
    size_t alignment_bytes;
};

/* What a policy finds when it walks its memory. */
struct heap_survey {
    size_t live_block_count;
    size_t free_bytes;
    size_t largest_free_bytes;
    size_t free_block_count;
};

/* What plain_operations need of a policy. */
struct heap_plain_policy {
    /* NULL if there is no room. */
    void *(*allocate)(struct heap *heap, const struct heap_request *request);
    /* True if `block` is a live block and intact; else what is wrong is recorded. */
    bool (*validate)(struct heap *heap, const void *block, struct heap_block_info *ret_info);
    /* Free a block that `validate` has accepted. False: a neighbour is corrupt, recorded. */
    bool (*release)(struct heap *heap, void *block);
    /* Change the size of a block that `validate` has accepted, without moving it; never to be
     * refused where the size gets smaller. The request's alignment is the block's; its sum with the
     * size may wrap. False: not possible here, nothing changed; or something is corrupt, recorded.
     */
    bool (*resize)(struct heap *heap, void *block, const struct heap_request *request);
    /* After `resize` has refused: how many bytes the heap has to grow by so that the block has room
     * for `size_bytes`. 0 if that does not help: something live lies behind the block. */
    size_t (*missing)(const struct heap *heap, const void *block, size_t size_bytes);
};

struct heap_policy_functions {
    size_t minimum_extend_bytes; /* of an addition to a heap */
    size_t block_overhead_bytes; /* at most this much beside size and alignment of a request */

    const struct heap_operations *operations;
    struct heap_plain_policy plain; /* only with plain_operations */

    /* Initialise the policy's state, and lay out [base, base + size_bytes) as free memory. */
    void (*initialise)(struct heap *heap);
    /* Behind the end, `additional_bytes` have become usable; heap->size_bytes is still the old. */
    bool (*extend)(struct heap *heap, size_t additional_bytes);
    /* How many bytes at the end are free and may be cut off; and cut them off. The rest stays a
     * heap. `cut` gets at most what `free_tail` returned, a multiple of the page. */
    size_t (*free_tail)(const struct heap *heap);
    void (*cut)(struct heap *heap, size_t bytes);
    /* Merge what is kept apart for speed. NULL if nothing ever is. */
    void (*trim)(struct heap *heap);

    void (*survey)(const struct heap *heap, struct heap_survey *ret_survey);
    /* Call `visit` for each piece, in order of address. Stops at a header that is not sound. */
    void (*walk)(const struct heap *heap, heap_piece_visitor *visit, void *context);
    /* Call `visit` for each free piece of `least_bytes` or more, and perhaps for smaller ones, in
     * any order, without a look at the blocks between them. NULL if they are found by a walk only.
     */
    void (*walk_free)(const struct heap *heap, size_t least_bytes, heap_piece_visitor *visit,
                      void *context);
    /* As heap_check(). Also checks that the live blocks add up to the counters. */
    const char *(*check)(const struct heap *heap);
};

extern const struct heap_operations plain_operations;

/* --- What a policy counts --------------------------------------------------------------------- */

static inline void heap_count_allocation(struct heap *heap, size_t size_bytes)
{
    heap_counters_allocate(&heap->counters, size_bytes);
}

static inline void heap_count_resize(struct heap *heap, size_t old_bytes, size_t new_bytes)
{
    heap_counters_resize(&heap->counters, old_bytes, new_bytes);
}

static inline void heap_count_free(struct heap *heap, size_t size_bytes)
{
    heap_counters_free(&heap->counters, 1, size_bytes);
}

/* Of what `counters` count, what the policy's own blocks hold. */
static inline size_t heap_policy_used_bytes(const struct heap *heap)
{
    bool counts_all = heap->outer_counters == &heap->counters;
    return heap_counters_used_bytes(&heap->counters) - (counts_all ? heap->layer_used_bytes : 0);
}

#endif
