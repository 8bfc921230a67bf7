/*
 * best_fit_fault.h - what is wrong with a segment or a pointer of a best-fit heap.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BEST_FIT_FAULT_H
#define KERNEL_MM_HEAP_POLICIES_BEST_FIT_FAULT_H

#include "kernel/mm/heap/policies/best_fit_segment.h"

/* Record what is wrong with the block or free memory `segment`, whose header is sound; or with a
 * place about which nothing is known, NULL. Always false. */
bool best_fit_fault_record(struct heap *heap, enum heap_fault_kind kind,
                           const struct best_fit_segment *segment, const void *pointer,
                           const char *detail);

/* Record a pointer into the free segment `segment`. Always false. */
bool best_fit_fault_record_double_free(struct heap *heap, const struct best_fit_segment *segment,
                                       const void *pointer);

/* Record exactly what a pointer is whose header is not that of a block. Walks from the start, since
 * only headers that are reached there are known to be headers. Always false. */
bool best_fit_fault_record_bad_pointer(struct heap *heap, const void *block);

/* True if the header is sound; else that is recorded. NULL is fine. */
static inline bool best_fit_validate_header(struct heap *heap,
                                            const struct best_fit_segment *segment)
{
    if (segment == NULL || best_fit_is_sound(heap, segment))
        return true;
    return best_fit_fault_record(heap, HEAP_FAULT_CORRUPT, NULL, best_fit_payload_of(segment),
                                 "a header or free-list link was overwritten");
}

#endif
