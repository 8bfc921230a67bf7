/*
 * best_fit.h - the state of a best-fit heap. Private: include/handoff/heap_best_fit.h is the public
 * header.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BEST_FIT_H
#define KERNEL_MM_HEAP_POLICIES_BEST_FIT_H

#include "kernel/mm/heap/heap_hash.h"
#include "kernel/mm/heap/heap_state.h"
#include "kernel/mm/heap/include/handoff/heap_best_fit.h"

struct best_fit_segment;

struct best_fit_state {
    struct heap_key headers;            /* of the seals */
    struct heap_key canaries;           /* one known key does not give the other one */
    struct best_fit_segment *first;     /* in order of address */
    struct best_fit_segment *end;       /* the end marker: the last header, never free */
    struct best_fit_segment *free_list; /* any order; NULL if nothing is free */
};

/* Precondition: the heap's policy is best-fit. */
static inline struct best_fit_state *best_fit_of(const struct heap *heap)
{
    return (struct best_fit_state *)(void *)heap->policy_state;
}

#endif
