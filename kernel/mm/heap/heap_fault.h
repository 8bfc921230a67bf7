/*
 * heap_fault.h - one report for each operation.
 *
 * Whoever finds a fault records it in the heap and returns. The operation that was called reports
 * it at its end, with the caller that it was given. So no inner function needs to know the caller.
 * An operation reports the first fault that it meets. After a corruption it stops.
 */
#ifndef KERNEL_MM_HEAP_HEAP_FAULT_H
#define KERNEL_MM_HEAP_HEAP_FAULT_H

#include "kernel/mm/heap/heap_state.h"

/* Record what the policy found. The layers above put it into the terms of the heap's callers.
 * After a corruption the heap serves nothing any more. Always false. */
bool heap_fault_record(struct heap *heap, const struct heap_fault *fault);

/* The same for what a layer found: the fault is in the callers' terms. Always false. */
bool heap_fault_record_final(struct heap *heap, const struct heap_fault *fault);

/* Call the fault callback with what was recorded. */
void heap_fault_report_recorded(struct heap *heap, const void *caller);

/* To be called at the end of each operation that may have recorded a fault. `caller` is the
 * operation's. */
static inline void heap_fault_report(struct heap *heap, const void *caller)
{
    if (__builtin_expect(heap->recorded_fault.detail != NULL, 0))
        heap_fault_report_recorded(heap, caller);
}

#endif
