/*
 * heap_debug_pattern.h - fill and check bytes of one value: at the ends of a block, and in
 * canaries.
 *
 * The functions are inline since each allocation and each free calls them.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_PATTERN_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_PATTERN_H

#include "kernel/mm/heap/layers/heap_debug_state.h"
#include "shared/memory.h"

/* Return the first byte from `start` to `end` that is not `value`, or NULL. It compares words where
 * it can, since a freed block may be large. */
static inline const uint8_t *heap_debug_pattern_first_other(const uint8_t *start,
                                                            const uint8_t *end, uint8_t value)
{
    const uint64_t word = value * UINT64_C(0x0101010101010101);
    const uint8_t *words_end = start;
    if ((uintptr_t)start % sizeof word == 0)
        words_end += (size_t)(end - start) / sizeof word * sizeof word;
    while (start < words_end && *(const uint64_t *)(const void *)start == word)
        start += sizeof word;
    while (start < end && *start == value)
        start++;
    return start == end ? NULL : start;
}

/* Return the offset of the last edge in a block of `bytes` bytes. The first edge ends there or
 * before. */
static inline size_t heap_debug_pattern_last_edge(size_t bytes)
{
    if (bytes <= 2 * HEAP_DEBUG_EDGE_BYTES)
        return smaller(bytes, HEAP_DEBUG_EDGE_BYTES);
    size_t start = bytes - HEAP_DEBUG_EDGE_BYTES;
    return start - start % sizeof(uint64_t);
}

/* Fill both edges of a block. If the block is not longer than both edges, this fills all of it. */
static inline void heap_debug_pattern_fill(uint8_t *start, size_t bytes, uint8_t value)
{
    size_t last = heap_debug_pattern_last_edge(bytes);
    memset(start, value, smaller(bytes, HEAP_DEBUG_EDGE_BYTES));
    memset(start + last, value, bytes - last);
}

/* Return the first byte of a block's edges that is not `value`, or NULL. */
static inline const uint8_t *heap_debug_pattern_find_write(const uint8_t *block, size_t bytes,
                                                           uint8_t value)
{
    const uint8_t *first_end = block + smaller(bytes, HEAP_DEBUG_EDGE_BYTES);
    const uint8_t *written = heap_debug_pattern_first_other(block, first_end, value);
    if (written != NULL)
        return written;
    return heap_debug_pattern_first_other(block + heap_debug_pattern_last_edge(bytes),
                                          block + bytes, value);
}

#endif
