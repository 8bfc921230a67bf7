/*
 * heap_debug_quarantine.h - the queue of freed blocks that the policy does not get back yet.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_QUARANTINE_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_QUARANTINE_H

#include "kernel/mm/heap/layers/heap_debug_record.h"

/* Append a block, and release the oldest ones if there are too many. Precondition: the block is
 * live and intact. False: a freed block or its record was overwritten, and the fault is recorded.
 */
bool heap_debug_quarantine_add(struct heap *heap, uint8_t *block, struct heap_debug_record *record,
                               const void *caller);

/* Free all blocks to the level below. `caller` is for the report of a fault there. False: the heap
 * is corrupt. */
bool heap_debug_quarantine_flush(struct heap *heap, const void *caller);

#endif
