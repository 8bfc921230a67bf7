/*
 * guarded_block.h - make, validate, shrink and free the blocks of the guarded layer.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_BLOCK_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_BLOCK_H

#include "kernel/mm/heap/layers/guarded_place.h"

/* Return a block in a new place. NULL: there is no place or no page, and nothing has changed. */
void *guarded_block_allocate(struct heap *heap, const struct heap_request *request);

/* True if the pointer is a live block, and intact. False: the fault is recorded. Precondition: the
 * pointer is in the window. */
bool guarded_block_validate(struct heap *heap, const void *pointer,
                            struct guarded_place *ret_place);

/* Give the block's pages back, and append its place to the reuse queue. Precondition: the block is
 * validated. */
void guarded_block_free(struct heap *heap, const struct guarded_place *place, const void *caller);

/* Shrink the block. It keeps its address, and pages that it no longer needs go back. Precondition:
 * the block is validated, and the new size is not larger. */
void guarded_block_shrink(struct heap *heap, struct guarded_record *record, size_t size_bytes);

#endif
