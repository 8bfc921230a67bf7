/*
 * heap_discard.h - whole pages of free memory that go back to the page source, also inside of the
 * heap.
 *
 * A policy that can keep free memory without pages decides which pages go, and restores them before
 * it touches them. This file decides when it looks for such pages. The other policies offer pages
 * only in heap_trim(), and only to a page source whose discarded pages stay usable.
 */
#ifndef KERNEL_MM_HEAP_HEAP_DISCARD_H
#define KERNEL_MM_HEAP_HEAP_DISCARD_H

#include "kernel/mm/heap/heap_state.h"

/* A policy looks for pages when this much was freed, or more (see below). */
#define HEAP_DISCARD_WAIT_BYTES ((size_t)1024 * 1024)

static inline bool heap_discard_is_possible(const struct heap *heap)
{
    return heap->pages.discard != NULL && !heap->is_corrupt;
}

/* True if the policy may look now: `freed_bytes` were freed since it looked last. The wait becomes
 * longer by twice the bytes that are restored, and an eighth shorter with each look. So a program
 * that allocates and frees in turns soon frees less in one turn than the heap waits for. */
bool heap_discard_is_due(struct heap *heap, size_t freed_bytes);

/* Give these pages to the page source. The heap does not touch them until they are restored. */
void heap_discard_pages(struct heap *heap, const uint8_t *start, size_t bytes);

/* Make discarded pages usable again. False: there is no memory, and nothing has changed. */
bool heap_discard_restore(struct heap *heap, const uint8_t *start, size_t bytes);

/* Give back all free pages, for heap_trim(). Does nothing if the page source has no `discard`. */
void heap_discard_free_pages(struct heap *heap);

#endif
