/*
 * heap_zero.h - which memory of the heap reads as zero, so that zeros are written once.
 *
 *   base            written_end                                       end
 *    | blocks and free memory | zero but for the policy's words at the end |
 *
 * One boundary is enough: the heap has written nothing behind it since the pages arrived.
 */
#ifndef KERNEL_MM_HEAP_HEAP_ZERO_H
#define KERNEL_MM_HEAP_HEAP_ZERO_H

#include "kernel/mm/heap/heap_state.h"

/* The most bytes that a policy writes beyond the end of a block or of free memory. */
#define HEAP_MARGIN_BYTES ((size_t)128)

/* Call this for each block that may come from the free memory at the heap's end. `end` is one past
 * the block and the policy's words behind it. */
static inline void heap_zero_set_written(struct heap *heap, const uint8_t *end)
{
    if ((uintptr_t)end > heap->written_end) {
        heap->clean_start = heap->written_end;
        heap->written_end = (uintptr_t)end;
    }
}

/* Call this when a request frees memory that it took before. The bytes written there are not wiped,
 * and the request's next block may lie there. */
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
