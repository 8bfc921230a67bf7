/*
 * heap_debug_view.h - the layer's share in statistics, walks and checks: functions of struct
 * heap_layer_functions (layer.h).
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_VIEW_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_VIEW_H

#include "kernel/mm/heap/layers/heap_debug_state.h"

void heap_debug_view_adjust_statistics(const struct heap *heap, struct heap_statistics *statistics);

/* Blocks in the quarantine count as the heap's own memory. */
void heap_debug_view_walk(const struct heap *heap, heap_piece_visitor *visit, void *context);

const char *heap_debug_view_check(const struct heap *heap);

#endif
