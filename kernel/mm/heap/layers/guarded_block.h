/*
 * guarded_block.h - blocks with pages of their own: made, validated, shrunk and freed.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_BLOCK_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_BLOCK_H

#include "kernel/mm/heap/layers/guarded_place.h"

/* A block in a place of its own. NULL, and nothing changed, if there is no place or page. */
void *guarded_block_allocate(struct heap *heap, const struct heap_request *request);

/* True if the pointer is a live block, and intact; else the fault is recorded. Precondition: it is
 * in the window. */
bool guarded_block_validate(struct heap *heap, const void *pointer,
                            struct guarded_place *ret_place);

/* Give the block's pages back, and its place to the reuse queue. Precondition: validated. */
void guarded_block_free(struct heap *heap, const struct guarded_place *place, const void *caller);

/* The block keeps its address; pages that it no longer needs go back. Precondition: validated, and
 * the size is not larger. */
void guarded_block_shrink(struct heap *heap, struct guarded_record *record, size_t size_bytes);

#endif
