/*
 * bump.h - the state of a bump heap. Private: include/handoff/heap_bump.h is the public header.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BUMP_H
#define KERNEL_MM_HEAP_POLICIES_BUMP_H

#include "kernel/mm/heap/heap_state.h"
#include "kernel/mm/heap/include/handoff/heap_bump.h"
#include "kernel/mm/heap/policies/sealed_secret.h"

struct bump_state {
    struct sealed_secret secret;
    uint8_t *next; /* where the next block begins, if it needs no alignment */
    uint8_t *end;
    size_t live_block_count;
};

/* Precondition: the heap's policy is bump. */
static inline struct bump_state *bump_of(const struct heap *heap)
{
    return (struct bump_state *)(void *)heap->policy_state;
}

#endif
