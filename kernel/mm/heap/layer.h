/*
 * layer.h - the functions that a layer over the policy provides.
 *
 * A layer has operations that call those below it: the policy's, or another layer's.
 * heap_initialise() stacks the configured layers, heap_debug.h below guarded.h. The other functions
 * serve statistics, walks and checks.
 */
#ifndef KERNEL_MM_HEAP_LAYER_H
#define KERNEL_MM_HEAP_LAYER_H

#include "kernel/mm/heap/heap_state.h"

struct heap_layer_functions {
    const struct heap_operations *operations;
    bool frees_in_any_order; /* left out over a policy that frees the newest block only */

    /* Check the layer's configuration. Return OK, UNALIGNED, TOO_SMALL or TOO_LARGE. NULL: it is
     * always valid. */
    enum heap_status (*validate)(const struct heap_layer *layer);
    /* Initialise the layer's state. The heap has no live blocks, and `below` is set. */
    void (*initialise)(struct heap *heap);
    /* Translate a fault from below this layer: address and size as the callers see them. NULL: they
     * already are. */
    void (*explain)(const struct heap *heap, struct heap_fault *fault);
    /* Free the blocks that the layer keeps to the level below. False: the heap is corrupt. NULL:
     * the layer keeps no blocks. */
    bool (*flush)(struct heap *heap);
    /* Zero what the layer wrote into a new block. NULL: it writes nothing. */
    void (*zero)(uint8_t *block, size_t bytes);
    /* Translate the figures from below this layer into those that the callers see, all but counters
     * and overhead. */
    void (*adjust_statistics)(const struct heap *heap, struct heap_statistics *statistics);
    /* As heap_walk(), for this layer and those below it. */
    void (*walk)(const struct heap *heap, heap_piece_visitor *visit, void *context);
    /* As heap_check(), for the layer's own data. Precondition: the checks below it have passed. */
    const char *(*check)(const struct heap *heap);
};

/* The head of each layer's state. */
struct heap_layer {
    const struct heap_layer_functions *functions;
    struct heap_operations below; /* the layer's operations call these */
};

/* As heap_walk(), for the levels below the layer at this place. */
void heap_walk_below(const struct heap *heap, enum heap_layer_place place,
                     heap_piece_visitor *visit, void *context);

#endif
