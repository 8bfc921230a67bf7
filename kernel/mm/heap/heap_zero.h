/*
 * heap_zero.h - which memory of the heap reads as zero, so that zeros are written once.
 *
 *   base            written_end                                       end
 *    | blocks and free memory | zero but for the policy's words at the end |
 *
 * One boundary is enough: nothing behind it was written since its pages came.
 */
#ifndef KERNEL_MM_HEAP_HEAP_ZERO_H
#define KERNEL_MM_HEAP_HEAP_ZERO_H

#include "kernel/mm/heap/heap_state.h"

/* What a policy writes around blocks and free memory reaches no farther from their ends. */
#define HEAP_MARGIN_BYTES ((size_t)128)

/* To be called for each block that may have been taken from the free memory at the heap's end: it,
 * and what the policy writes, ends at `end`. */
static inline void heap_zero_set_written(struct heap *heap, const uint8_t *end)
{
    if ((uintptr_t)end > heap->written_end) {
        heap->clean_start = heap->written_end;
        heap->written_end = (uintptr_t)end;
    }
}

/* To be called where a request gives back what it took before: what was written there since is not
 * wiped, and the block that is found then may lie there. */
static inline void heap_zero_set_dirty(struct heap *heap)
{
    heap->clean_start = UINTPTR_MAX;
}

/* The heap's end was at `old_end` and has moved up. The last `fresh_bytes` of the heap read as
 * zero. */
void heap_zero_extend(struct heap *heap, uintptr_t old_end, size_t fresh_bytes);

/* The heap's end has moved down. */
void heap_zero_cut(struct heap *heap);

#endif
