/*
 * fast_view.h - statistics, walks and checks of a fast heap. The functions belong to struct
 * heap_policy_functions (policy.h), and only read.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_VIEW_H
#define KERNEL_MM_HEAP_POLICIES_FAST_VIEW_H

#include "kernel/mm/heap/policy.h"

/* Stops at a corrupt header. The figures then cover only the memory before it. */
void fast_view_survey(const struct heap *heap, struct heap_survey *ret_survey);

void fast_view_walk(const struct heap *heap, heap_piece_visitor *visit, void *context);

void fast_view_walk_free(const struct heap *heap, size_t least_bytes, heap_piece_visitor *visit,
                         void *context);

/* True if the heap is sound and has no live block. */
bool fast_view_is_empty(const struct heap *heap);

const char *fast_view_check(const struct heap *heap);

#endif
