/*
 * heap_leaks.h - who holds the live blocks of a heap: one entry for each call site.
 *
 * Found by walking the heap; costs the allocations nothing by itself. With heap_debug.h every
 * block's caller is recorded; without it only best-fit records one, and the blocks of the other
 * policies are all counted under NULL. Freestanding, as the heap is.
 *
 * Phase and concurrency: as heap.h; the caller keeps others from the heap during a call.
 */
#ifndef HANDOFF_HEAP_LEAKS_H
#define HANDOFF_HEAP_LEAKS_H

#include "heap.h"

/* So many call sites have an entry of their own; 1.5 KiB of stack. */
#define HEAP_LEAK_SITE_LIMIT ((size_t)64)

struct heap_leak_site {
    const void *allocated_by; /* return address of the call; NULL if none is recorded */
    size_t block_count;
    size_t used_bytes; /* as asked for */
};

struct heap_leaks {
    struct heap_leak_site sites[HEAP_LEAK_SITE_LIMIT]; /* in order of their first block's address */
    size_t site_count;
    struct heap_leak_site others; /* all call sites that had no room above */
};

/* Every live block is counted exactly once, in `sites` or in `others`. A walk ends at a header that
 * is not sound (heap_check() says so): the blocks behind it are then missing. */
void heap_leaks_find(const struct heap *heap, struct heap_leaks *ret_leaks);

#endif
