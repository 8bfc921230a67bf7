/*
 * heap_leaks.h - the live blocks of a heap, with one entry for each call site that allocated them.
 *
 * The functions walk the heap. They add no cost to allocations. The layer of heap_debug.h records
 * every block's caller. Without it only best-fit records one, and all blocks of the other policies
 * are counted under NULL. Freestanding, like the heap.
 *
 * Phase and concurrency: as heap.h. No other operation may run on the heap during a call.
 */
#ifndef HANDOFF_HEAP_LEAKS_H
#define HANDOFF_HEAP_LEAKS_H

#include "heap.h"

/* The number of call sites with a separate entry. They take 1.5 KiB of stack. */
#define HEAP_LEAK_SITE_LIMIT ((size_t)64)

struct heap_leak_site {
    const void *allocated_by; /* return address of the call; NULL if none is recorded */
    size_t block_count;
    size_t used_bytes; /* as requested */
};

struct heap_leaks {
    struct heap_leak_site sites[HEAP_LEAK_SITE_LIMIT]; /* in order of their first block's address */
    size_t site_count;
    struct heap_leak_site others; /* all call sites that had no room above */
};

/* Count every live block exactly once, in `sites` or in `others`. The walk ends at a corrupt
 * header, which heap_check() reports. The blocks behind it are then missing. */
void heap_leaks_find(const struct heap *heap, struct heap_leaks *ret_leaks);

#endif
