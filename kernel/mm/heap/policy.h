/*
 * policy.h - the functions that a policy provides, and its counters.
 *
 * A policy divides the range [base, base + size_bytes) and validates the pointers that come back.
 * It serves the operations of heap.h in one of two ways:
 *
 *   - whole: `operations` are its own functions (fast.c, which counts every instruction);
 *   - by division only: `operations` is plain_operations (plain.c), which validates sizes and
 *     alignments, counts, moves, grows and shrinks, and calls `plain` for the rest.
 *
 * A function that finds a fault records it (heap_fault.h) and fails. The operation reports it. A
 * bad pointer leaves the heap unchanged. After a corruption the heap fails every operation, so the
 * half-finished state is never used.
 */
#ifndef KERNEL_MM_HEAP_POLICY_H
#define KERNEL_MM_HEAP_POLICY_H

#include "kernel/mm/heap/heap_state.h"

/* A request. `alignment_bytes` is a power of two >= HEAP_ALIGNMENT_BYTES; size_bytes +
 * alignment_bytes is below the heap's limit, so that sums do not wrap. */
struct heap_request {
    size_t size_bytes;
    size_t alignment_bytes;
    const void *caller;
};

/* The policy's data about a live block. */
struct heap_block_info {
    size_t size_bytes; /* as requested */
    size_t alignment_bytes;
};

/* The result of a policy's walk over its memory. */
struct heap_survey {
    size_t live_block_count;
    size_t free_bytes;
    size_t absent_bytes; /* of the free bytes: those without pages */
    size_t largest_free_bytes;
    size_t free_block_count;
};

/* The functions that plain_operations need from a policy. */
struct heap_plain_policy {
    /* Return a block, or NULL if there is no room. */
    void *(*allocate)(struct heap *heap, const struct heap_request *request);
    /* True if `block` is a live block and intact. False: the fault is recorded. */
    bool (*validate)(struct heap *heap, const void *block, struct heap_block_info *ret_info);
    /* Free a block that `validate` has accepted. False: a neighbour is corrupt, and the fault is
     * recorded. */
    bool (*release)(struct heap *heap, void *block);
    /* Change the size of a block that `validate` has accepted, without moving it. A smaller size
     * must always succeed. The request has the block's alignment; its sum with the size may wrap.
     * False: there is no room and nothing changed, or the heap is corrupt and the fault is
     * recorded. */
    bool (*resize)(struct heap *heap, void *block, const struct heap_request *request);
    /* Return, after `resize` has refused, by how many bytes the heap must grow so that the block
     * has room for `size_bytes`. 0 if growth does not help: a live block lies behind this one. */
    size_t (*missing)(const struct heap *heap, const void *block, size_t size_bytes);
};

struct heap_policy_functions {
    size_t minimum_extend_bytes; /* of an addition to a heap */
    size_t block_overhead_bytes; /* at most this much in addition to size and alignment */

    const struct heap_operations *operations;
    struct heap_plain_policy plain; /* only with plain_operations */

    /* Initialise the policy's state, and lay out [base, base + size_bytes) as free memory. */
    void (*initialise)(struct heap *heap);
    /* Add `additional_bytes` that are now usable behind the end. heap->size_bytes is still the old
     * size. */
    bool (*extend)(struct heap *heap, size_t additional_bytes);
    /* `free_tail` returns how many free bytes at the end may be cut off. `cut` cuts them off; its
     * argument is a multiple of the page and at most the result of `free_tail`. The rest stays a
     * heap. */
    size_t (*free_tail)(const struct heap *heap);
    void (*cut)(struct heap *heap, size_t bytes);
    /* Return how many bytes before the free tail are free and have no pages, from a page on. Then
     * `cut` also cuts the tail and all of these bytes. NULL if all free memory has pages. */
    size_t (*absent_tail)(const struct heap *heap);
    /* Give pages of free memory to the page source (heap_discard.h), as many as possible, and
     * restore them before they are touched. NULL if the policy cannot do that. */
    void (*discard)(struct heap *heap);
    /* Restore pages so that the request fits. False: there are no such pages, or no memory, or the
     * heap is corrupt. NULL exactly if `discard` is. */
    bool (*restore)(struct heap *heap, const struct heap_request *request);
    /* Return how many of the bytes from the address on can be read, up to the first one whose page
     * was given back. The bytes are in the heap. NULL exactly if `discard` is. */
    size_t (*present_bytes)(const struct heap *heap, const uint8_t *address, size_t bytes);
    /* Merge memory that is kept apart for speed. NULL if the policy keeps no such memory. */
    void (*trim)(struct heap *heap);

    void (*survey)(const struct heap *heap, struct heap_survey *ret_survey);
    /* Call `visit` for each piece, in order of address. Stops at a corrupt header. */
    void (*walk)(const struct heap *heap, heap_piece_visitor *visit, void *context);
    /* Call `visit` for each free piece of `least_bytes` or more, in any order. It may also visit
     * smaller ones. It does not read the blocks between them. NULL if only a walk finds them. */
    void (*walk_free)(const struct heap *heap, size_t least_bytes, heap_piece_visitor *visit,
                      void *context);
    /* As heap_check(). Also checks that the live blocks add up to the counters. */
    const char *(*check)(const struct heap *heap);
};

extern const struct heap_operations plain_operations;

/* --- Counters --------------------------------------------------------------------------------- */

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

/* Return the policy's part of the used bytes in `counters`. */
static inline size_t heap_policy_used_bytes(const struct heap *heap)
{
    bool counts_all = heap->outer_counters == &heap->counters;
    return heap_counters_used_bytes(&heap->counters) - (counts_all ? heap->layer_used_bytes : 0);
}

#endif
