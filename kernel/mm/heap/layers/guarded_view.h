/*
 * guarded_view.h - the layer's share in statistics, walks and checks: functions of struct
 * heap_layer_functions (layer.h).
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_VIEW_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_VIEW_H

#include "kernel/mm/heap/layers/guarded_state.h"

void guarded_view_adjust_statistics(const struct heap *heap, struct heap_statistics *statistics);
void guarded_view_walk(const struct heap *heap, heap_piece_visitor *visit, void *context);
const char *guarded_view_check(const struct heap *heap);

#endif
