/*
 * heap_debug_quarantine.h - freed blocks that the policy does not get back yet.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_QUARANTINE_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_QUARANTINE_H

#include "kernel/mm/heap/layers/heap_debug_record.h"

/* Append a block, which is live and intact, and release the oldest ones if there are too many.
 * False: somebody wrote to a freed block or its record, recorded. */
bool heap_debug_quarantine_add(struct heap *heap, uint8_t *block, struct heap_debug_record *record,
                               const void *caller);

/* Give all blocks back to the layer below. `caller` is for what that reports. False: something is
 * corrupt. */
bool heap_debug_quarantine_flush(struct heap *heap, const void *caller);

#endif
