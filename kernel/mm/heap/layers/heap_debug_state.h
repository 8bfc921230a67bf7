/*
 * heap_debug_state.h - the state of the layer of heap_debug.h. Private.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_STATE_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_STATE_H

#include "kernel/mm/heap/include/handoff/heap_debug.h"
#include "kernel/mm/heap/layer.h"

struct heap_debug_record;

/* Freed blocks in the order of their frees. The links are in their records. */
struct heap_debug_quarantine {
    uint8_t *oldest; /* NULL if there is none */
    uint8_t *newest;
    struct heap_debug_record *newest_record;
    size_t newest_bytes; /* as asked for */
    size_t block_count;
    size_t bytes; /* as the policy was asked for them */
};

struct heap_debug {
    struct heap_layer layer;
    struct heap_counters counters; /* of what the heap's callers asked for */
    uint64_t secret;
    struct heap_debug_quarantine quarantine;
};

/* Precondition: the heap has the layer. */
static inline struct heap_debug *heap_debug_of(const struct heap *heap)
{
    return (struct heap_debug *)(void *)heap->layers[HEAP_LAYER_DEBUG];
}

#endif
