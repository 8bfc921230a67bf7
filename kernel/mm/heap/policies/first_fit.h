/*
 * first_fit.h - the state of a first-fit heap. Private: include/handoff/heap_first_fit.h is the
 * public header.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FIRST_FIT_H
#define KERNEL_MM_HEAP_POLICIES_FIRST_FIT_H

#include "kernel/mm/heap/heap_state.h"
#include "kernel/mm/heap/include/handoff/heap_first_fit.h"
#include "kernel/mm/heap/policies/sealed_secret.h"

struct first_fit_state {
    struct sealed_secret secret;
    uint8_t *free_list; /* the free blocks in order of address; NULL for an empty list */
    uint8_t *end;
};

/* Precondition: the heap's policy is first-fit. */
static inline struct first_fit_state *first_fit_of(const struct heap *heap)
{
    return (struct first_fit_state *)(void *)heap->policy_state;
}

#endif
