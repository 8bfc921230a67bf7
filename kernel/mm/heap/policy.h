/*
 * policy.h - what a heap policy provides, and what heap.c provides to it.
 *
 * A policy divides the range [base, base + size_bytes) and proves the pointers that come back. It
 * serves the operations of heap.h in one of two ways:
 *
 *   - whole: `operations` are its own functions (fast.c, which counts every instruction);
 *   - by division alone: `operations` is heap_plain_operations (plain.c), which judges sizes and
 *     alignments, counts, moves, grows and shrinks, and calls `plain` for the rest.
 *
 * Every function records what is wrong (heap_fault.h) and then fails; the operation reports it. A
 * bad pointer leaves the heap unchanged. After a corruption the heap serves nothing any more, so
 * nobody sees what the operation left half done.
 */
#ifndef KERNEL_MM_HEAP_POLICY_H
#define KERNEL_MM_HEAP_POLICY_H

#include "kernel/mm/heap/heap.h"

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

enum heap_piece_kind {
    HEAP_PIECE_LIVE,
    HEAP_PIECE_FREE, /* also what is kept apart for the next request of its size */
    HEAP_PIECE_OWN,  /* the policy's records; a block that is freed but cannot be used yet */
};

/* A part of the heap's memory. What lies between pieces is headers and rounding. */
struct heap_piece {
    enum heap_piece_kind kind;
    const void *start;
    size_t extent_bytes;      /* from `start` on */
    size_t size_bytes;        /* of a live block, as asked for; 0 for others */
    const void *allocated_by; /* caller that allocated a live block; NULL if it is not recorded */
};

typedef void heap_piece_visitor(void *context, const struct heap_piece *piece);

/* What heap_plain_operations need of a policy. */
struct heap_plain_policy {
    /* NULL if there is no room. */
    void *(*allocate)(struct heap *heap, const struct heap_request *request);
    /* True if `block` is a live block and intact; else what is wrong is recorded. */
    bool (*validate)(struct heap *heap, const void *block, struct heap_block_info *ret_info);
    /* Free a block that `validate` has accepted. False: a neighbour is corrupt, recorded. */
    bool (*release)(struct heap *heap, void *block);
    /* Change the size of a block that `validate` has accepted, without moving it; never to be
     * refused where the size gets smaller. The request's alignment is the block's; the sum with the
     * size is not validated. False: not possible here, nothing changed; or something is corrupt,
     * recorded.
     */
    bool (*resize)(struct heap *heap, void *block, const struct heap_request *request);
    /* After `resize` has refused: how many bytes the heap has to grow by so that the block has room
     * for `size_bytes`. 0 if that does not help: something live lies behind the block. */
    size_t (*missing)(const struct heap *heap, const void *block, size_t size_bytes);
};

struct heap_policy {
    const char *name;
    bool frees_newest_only;
    size_t minimum_bytes;        /* of a heap */
    size_t minimum_extend_bytes; /* of an addition to it */
    size_t maximum_bytes;        /* of a heap */
    size_t block_overhead_bytes; /* at most this much beside size and alignment of a request */

    const struct heap_operations *operations;
    struct heap_plain_policy plain; /* only with heap_plain_operations */

    /* Lay out [base, base + size_bytes) as free memory. */
    void (*initialise)(struct heap *heap);
    /* Behind the end, `additional_bytes` have become usable; heap->size_bytes is still the old. */
    bool (*extend)(struct heap *heap, size_t additional_bytes);
    /* How many bytes at the end are free and may be cut off; and cut them off. The rest stays a
     * heap. `cut` gets at most what `free_tail` said, a multiple of the page. */
    size_t (*free_tail)(const struct heap *heap);
    bool (*cut)(struct heap *heap, size_t bytes);
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
    /* As heap_check(). Also proves that the live blocks add up to the counters. */
    const char *(*check)(const struct heap *heap);
};

extern const struct heap_operations heap_plain_operations;

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* --- What heap.c provides --------------------------------------------------------------------- */

/* Call `visit` for each piece of the policy's, then for each guarded block, both in order of
 * address, live blocks as the heap's callers know them. Stops at a header that is not sound. */
void heap_walk(const struct heap *heap, heap_piece_visitor *visit, void *context);

/* What a policy writes around blocks and free memory reaches no farther from their ends. */
#define HEAP_MARGIN_BYTES ((size_t)128)

/* To be called for each block that may have been taken from the free memory at the heap's end: it,
 * and what the policy writes, ends at `end`. */
static inline void heap_note_written(struct heap *heap, const uint8_t *end)
{
    if ((uintptr_t)end > heap->written_end) {
        heap->clean_start = heap->written_end;
        heap->written_end = (uintptr_t)end;
    }
}

/* To be called where a request gives back what it took before: what was written there since is not
 * wiped, and the block that is found then may lie there. */
static inline void heap_note_dirty(struct heap *heap)
{
    heap->clean_start = UINTPTR_MAX;
}

/* Grow by at least so many bytes, which are below the limit, in whole pages. False if they cannot
 * be had: the heap is as it was. */
bool heap_grow_by(struct heap *heap, size_t least_bytes);

/* Grow so that the request fits behind the last live block. False if that cannot be had. */
bool heap_grow_for(struct heap *heap, const struct heap_request *request);

/* Give what is free at the end back to the page source, if that is worth its cost. */
void heap_give_back_tail(struct heap *heap);

/* What the heap's callers asked for. The policy's own count is heap->counters. */
static inline struct heap_counters *heap_outer_counters(struct heap *heap)
{
    return heap->configuration.debug ? &heap->debug.counters : &heap->counters;
}

/* --- What a policy counts --- */

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

static inline size_t heap_used_bytes(const struct heap *heap)
{
    return heap_counters_used_bytes(&heap->counters);
}

/* Of these, what the policy's own blocks hold: guarded ones are counted by the layer of
 * heap_debug.h if there is one. */
static inline size_t heap_policy_used_bytes(const struct heap *heap)
{
    return heap_used_bytes(heap) - (heap->configuration.debug ? 0 : heap->guarded.used_bytes);
}

#endif
