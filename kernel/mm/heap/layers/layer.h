/*
 * layer.h - what heap.c and the layers over a policy provide to each other.
 *
 * A layer is a struct heap_operations that calls the table below it; heap_initialise() stacks those
 * that are asked for: heap_debug.h, and over it guarded.h. The functions here are for what is not
 * an operation on a block.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_LAYER_H
#define KERNEL_MM_HEAP_LAYERS_LAYER_H

#include "kernel/mm/heap/policy.h"

/* --- What heap.c and heap_discard.c provide ----------------------------------------------------
 */

/* Offer the pages that lie inside of free memory to the page source (heap_discard.c). */
void heap_discard_free_pages(struct heap *heap);

/* The policy's pieces, as it was asked for them. */
void heap_walk_below(const struct heap *heap, heap_piece_visitor *visit, void *context);

/* --- The layer of heap_debug.h ---------------------------------------------------------------- */

/* Put the layer above `below`: the operations that serve then. The heap has no live blocks. */
const struct heap_operations *heap_debug_install(struct heap *heap,
                                                 const struct heap_operations *below);

/* Give all blocks that wait back to the policy. False: something is corrupt. `caller` is for what
 * the policy reports. */
bool heap_debug_flush(struct heap *heap, const void *caller);

/* Put a fault that was found below this layer into the caller's terms: his block's size, and who
 * allocated and freed it, as far as its record can be believed. */
void heap_debug_explain(const struct heap *heap, struct heap_fault *fault);

/* Take what the layer has of it from what the policy found. */
void heap_debug_adjust_survey(const struct heap *heap, struct heap_survey *survey);

/* As heap_walk(), from the pieces that the policy has: live ones are as they were asked for, and
 * blocks that wait are of the heap's own. */
void heap_debug_walk(const struct heap *heap, heap_piece_visitor *visit, void *context);

/* Fill the parts of a block that have a pattern: all of a new block that this layer writes to. */
void heap_debug_fill_edges(uint8_t *start, size_t bytes, uint8_t value);

/* As heap_check(), for what the layer knows. Precondition: the policy's check has passed. */
const char *heap_debug_check(const struct heap *heap) __attribute__((warn_unused_result));

/* --- The layer of guarded.h ------------------------------------------------------------------- */

/* Whether heap_initialise() can serve this: OK, UNALIGNED, TOO_SMALL or TOO_LARGE. */
enum heap_status guarded_judge(const struct guarded_configuration *configuration);

/* As heap_debug_install(). Precondition: judged OK. */
const struct heap_operations *guarded_install(struct heap *heap,
                                              const struct heap_operations *below);

/* As the policy's functions of these names, for the guarded blocks alone. */
void guarded_walk(const struct heap *heap, heap_piece_visitor *visit, void *context);
const char *guarded_check(const struct heap *heap);

#endif
