/*
 * best_fit_fault.h - find and record the fault of a segment or a pointer of a best-fit heap.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BEST_FIT_FAULT_H
#define KERNEL_MM_HEAP_POLICIES_BEST_FIT_FAULT_H

#include "kernel/mm/heap/policies/best_fit_segment.h"

/* Record a fault of the block or the free memory `segment`, whose header is sound. NULL stands for
 * an unknown segment. Always returns false. */
bool best_fit_fault_record(struct heap *heap, enum heap_fault_kind kind,
                           const struct best_fit_segment *segment, const void *pointer,
                           const char *detail);

/* Record the fault of a pointer into the free segment `segment`. Always returns false. */
bool best_fit_fault_record_double_free(struct heap *heap, const struct best_fit_segment *segment,
                                       const void *pointer);

/* Record the fault of a pointer without a block's header before it. The function walks from the
 * first segment, since only such a walk finds the true headers. Always returns false. */
bool best_fit_fault_record_bad_pointer(struct heap *heap, const void *block);

/* True if the header is sound, or `segment` is NULL. False: the fault is recorded. */
static inline bool best_fit_validate_header(struct heap *heap,
                                            const struct best_fit_segment *segment)
{
    if (segment == NULL || best_fit_is_sound(heap, segment))
        return true;
    return best_fit_fault_record(heap, HEAP_FAULT_CORRUPT, NULL, best_fit_payload_of(segment),
                                 "a header or free-list link was overwritten");
}

#endif
