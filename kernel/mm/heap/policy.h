/*
 * policy.h - what a heap policy provides to heap.c, and what heap.c provides to it.
 *
 * heap.c judges sizes and alignments, counts, zeroes, moves and talks to the page source; a policy
 * only divides the range [base, base + size_bytes) and proves the pointers that come back.
 *
 * Every operation reports what is wrong through heap_report() and then fails. A bad pointer leaves
 * the heap unchanged; after a corruption the heap is condemned, so what the operation left half
 * done is never looked at again.
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

/* What a policy knows of its free memory. */
struct heap_free_survey {
    size_t free_bytes;
    size_t largest_bytes;
    size_t piece_count;
};

struct heap_policy {
    const char *name;
    size_t minimum_bytes;        /* of a heap */
    size_t minimum_extend_bytes; /* of an addition to it */
    size_t maximum_bytes;        /* of a heap */
    size_t block_overhead_bytes; /* at most this much beside size and alignment of a request */

    /* Lay out [base, base + size_bytes) as free memory. */
    void (*initialise)(struct heap *heap);
    /* Behind the end, `additional_bytes` have become usable; heap->size_bytes is still the old. */
    bool (*extend)(struct heap *heap, size_t additional_bytes);
    /* How many bytes at the end are free and may be cut off; and cut them off. The rest stays a
     * heap. `cut` gets at most what `free_tail` said, a multiple of the page. */
    size_t (*free_tail)(const struct heap *heap);
    bool (*cut)(struct heap *heap, size_t bytes);

    /* NULL if there is no room. */
    void *(*allocate)(struct heap *heap, const struct heap_request *request);
    /* Prove that `block` is a live block and intact. False: it was reported. */
    bool (*examine)(struct heap *heap, const void *block, const void *caller,
                    struct heap_block_info *ret_info);
    /* Free a block that `examine` has proved. False: a neighbour was found corrupt, reported. */
    bool (*release)(struct heap *heap, void *block, const void *caller);
    /* Change the size of a block that `examine` has proved, without moving it. False: not possible
     * here, nothing changed. */
    bool (*resize)(struct heap *heap, void *block, const struct heap_request *request);

    void (*survey)(const struct heap *heap, struct heap_free_survey *ret_survey);
    /* As heap_check(). Also proves that the live blocks add up to the counters. */
    const char *(*check)(const struct heap *heap);
};

/* Call the fault callback. */
void heap_report(struct heap *heap, const struct heap_fault *fault);

#endif
