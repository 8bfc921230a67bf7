/*
 * best_fit_view.h - statistics, walks and checks of a best-fit heap. The functions belong to struct
 * heap_policy_functions (policy.h), and only read.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BEST_FIT_VIEW_H
#define KERNEL_MM_HEAP_POLICIES_BEST_FIT_VIEW_H

#include "kernel/mm/heap/policy.h"

/* Stops at a corrupt header. The figures then cover only the memory before it. */
void best_fit_view_survey(const struct heap *heap, struct heap_survey *ret_survey);

void best_fit_view_walk(const struct heap *heap, heap_piece_visitor *visit, void *context);
const char *best_fit_view_check(const struct heap *heap);

#endif
