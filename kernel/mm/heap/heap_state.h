/*
 * heap_state.h - the state of a heap. Private: users know include/handoff/heap.h only.
 *
 * The policy's state (struct bump_state, struct fast_state, …) follows struct heap, so that a
 * policy finds it without a pointer. A layer's state is in separate memory.
 */
#ifndef KERNEL_MM_HEAP_HEAP_STATE_H
#define KERNEL_MM_HEAP_HEAP_STATE_H

#include "kernel/mm/heap/heap_counters.h"
#include "kernel/mm/heap/include/handoff/heap.h"

/* From the policy outwards. */
enum heap_layer_place {
    HEAP_LAYER_DEBUG,
    HEAP_LAYER_GUARDED,
    HEAP_LAYER_COUNT,
};

struct heap {
    struct heap_operations operations; /* of the outermost layer; first: heap_operations() */
    const struct heap_policy_functions *functions;
    struct heap_layer *layers[HEAP_LAYER_COUNT]; /* NULL for a missing layer */

    struct heap_counters counters;        /* of the policy's blocks */
    struct heap_counters *outer_counters; /* of the callers' requests: these, or a layer's */
    size_t layer_used_bytes; /* of the live blocks that a layer serves without the policy */

    bool is_corrupt;                  /* every operation fails */
    struct heap_fault recorded_fault; /* of the running operation (heap_fault.h); no detail: none */
    void (*fault)(void *context, const struct heap_fault *fault);
    void *fault_context;

    uint8_t *base;
    size_t size_bytes; /* usable now */
    size_t limit_bytes;
    struct heap_page_source pages;
    bool has_grown_again;      /* after it gave memory back, into what it had given back */
    size_t tail_keep_bytes;    /* this much stays free at the end when memory is given back */
    size_t largest_bytes;      /* size_bytes before memory was given back last */
    size_t discard_wait_bytes; /* the policy looks for free pages when this much was freed */
    uintptr_t written_end;     /* from here to the heap's end all is zero but for its last bytes */
    uintptr_t clean_start;     /* a new block is zero from here on */

    uint64_t secret; /* as configured */
    const struct heap_policy *policy;
    uint64_t policy_state[]; /* its size depends on the policy */
};

_Static_assert(offsetof(struct heap, operations) == 0, "heap_operations() casts");

/* Check the storage size that a public header states: the size of the state, rounded up to its
 * alignment. */
#define HEAP_ASSERT_STORAGE(state_bytes, storage)                                                  \
    _Static_assert((state_bytes) <= sizeof(storage) &&                                             \
                       (state_bytes) + HEAP_STORAGE_ALIGNMENT_BYTES > sizeof(storage),             \
                   "the storage is as large as the state")

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
