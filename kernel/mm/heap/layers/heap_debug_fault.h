/*
 * heap_debug_fault.h - describe a fault by the block that the callers see, as far as its record can
 * be trusted.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_FAULT_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_FAULT_H

#include "kernel/mm/heap/layers/heap_debug_state.h"

/* Record a fault that the layer found. `total_bytes` is the policy's size of the block. */
void heap_debug_fault_record(struct heap *heap, enum heap_fault_kind kind, const void *pointer,
                             const uint8_t *block, size_t total_bytes, const char *detail);

/* Complete a fault that was found below the layer: the block's size as requested, and the callers
 * that allocated and freed it. */
void heap_debug_fault_explain(const struct heap *heap, struct heap_fault *fault);

#endif
