/*
 * heap_fault.h - record faults, and report at most one for each operation.
 *
 * The function that finds a fault records it in the heap and returns. The operation reports it at
 * its end, together with its caller. So inner functions do not need the caller. An operation
 * reports the first fault that it meets. After a corruption it stops.
 */
#ifndef KERNEL_MM_HEAP_HEAP_FAULT_H
#define KERNEL_MM_HEAP_HEAP_FAULT_H

#include "kernel/mm/heap/heap_state.h"

/* Record a fault that the policy found. The layers above translate it: address and size as the
 * heap's callers see them. After a corruption the heap fails every operation. Always returns false.
 */
bool heap_fault_record(struct heap *heap, const struct heap_fault *fault);

/* The same for a fault that a layer found: address and size are already as the callers see them.
 * Always returns false. */
bool heap_fault_record_final(struct heap *heap, const struct heap_fault *fault);

/* Call the fault callback with the recorded fault. */
void heap_fault_report_recorded(struct heap *heap, const void *caller);

/* Call this at the end of each operation that may have recorded a fault. `caller` is the
 * operation's caller. */
static inline void heap_fault_report(struct heap *heap, const void *caller)
{
    if (__builtin_expect(heap->recorded_fault.detail != NULL, 0))
        heap_fault_report_recorded(heap, caller);
}

#endif
