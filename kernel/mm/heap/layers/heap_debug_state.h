/*
 * heap_debug_state.h - the state of the layer of heap_debug.h. Private.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_STATE_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_STATE_H

#include "kernel/mm/heap/heap_hash.h"
#include "kernel/mm/heap/include/handoff/heap_debug.h"
#include "kernel/mm/heap/layer.h"

struct heap_debug_record;

/* The freed blocks, oldest first. The links are in their records. */
struct heap_debug_quarantine {
    uint8_t *oldest; /* NULL if the queue is empty */
    uint8_t *newest;
    struct heap_debug_record *newest_record;
    size_t newest_bytes; /* as requested */
    size_t block_count;
    size_t bytes; /* as requested from the policy */
};

struct heap_debug {
    struct heap_layer layer;
    struct heap_counters counters; /* of the callers' requests */
    struct heap_key key;
    struct heap_debug_quarantine quarantine;
};

/* Precondition: the heap has the layer. */
static inline struct heap_debug *heap_debug_of(const struct heap *heap)
{
    return (struct heap_debug *)(void *)heap->layers[HEAP_LAYER_DEBUG];
}

#endif
