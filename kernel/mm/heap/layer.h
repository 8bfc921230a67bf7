/*
 * layer.h - what a layer over the policy provides.
 *
 * A layer has operations that call those below it: the policy's, or another layer's.
 * heap_initialise() stacks the layers that are asked for, heap_debug.h below guarded.h. The other
 * functions are for what is not an operation on a block.
 */
#ifndef KERNEL_MM_HEAP_LAYER_H
#define KERNEL_MM_HEAP_LAYER_H

#include "kernel/mm/heap/heap_state.h"

struct heap_layer_functions {
    const struct heap_operations *operations;
    bool frees_in_any_order; /* left out over a policy that frees the newest block only */

    /* OK, UNALIGNED, TOO_SMALL or TOO_LARGE: whether the layer can be initialised as it is
     * configured. NULL: always. */
    enum heap_status (*validate)(const struct heap_layer *layer);
    /* Initialise the layer's state. The heap has no live blocks, and `below` is set. */
    void (*initialise)(struct heap *heap);
    /* Put a fault that was found below this layer into the callers' terms. NULL: it is already. */
    void (*explain)(const struct heap *heap, struct heap_fault *fault);
    /* Give what the layer keeps apart back to what is below it. False: something is corrupt. NULL:
     * it keeps nothing. */
    bool (*flush)(struct heap *heap);
    /* Zero what the layer wrote into a new block. NULL: it writes nothing. */
    void (*zero)(uint8_t *block, size_t bytes);
    /* Put the figures of what is below this layer, all but counters and overhead, into the callers'
     * terms. */
    void (*adjust_statistics)(const struct heap *heap, struct heap_statistics *statistics);
    /* As heap_walk(), for what this layer and those below it have. */
    void (*walk)(const struct heap *heap, heap_piece_visitor *visit, void *context);
    /* As heap_check(), for what the layer knows. Precondition: the checks below it have passed. */
    const char *(*check)(const struct heap *heap);
};

/* The head of each layer's state. */
struct heap_layer {
    const struct heap_layer_functions *functions;
    struct heap_operations below; /* what the layer's operations call */
};

/* As heap_walk(), for what is below the layer at that place. */
void heap_walk_below(const struct heap *heap, enum heap_layer_place place,
                     heap_piece_visitor *visit, void *context);

#endif
