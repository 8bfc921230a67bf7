/*
 * fast_block.h - blocks of the fast policy outside of slabs, and the search for memory if the
 * current slab cannot serve a request.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_BLOCK_H
#define KERNEL_MM_HEAP_POLICIES_FAST_BLOCK_H

#include "kernel/mm/heap/policies/fast_class.h"

/* Return a block of the core, or any slot that has room. NULL: there is no memory; the failure is
 * counted, and a corruption is reported. The order of the arguments is that of the calls, so no
 * register moves are needed. */
void *fast_block_allocate(struct heap *heap, size_t size_bytes, const void *caller,
                          size_t alignment_bytes);

/* Free a block. False: it is not a live block, or the heap is corrupt. The fault is recorded. */
bool fast_block_free(struct heap *heap, uint8_t *block);

/* Change the size of a block of the core without moving it. The header is the block's. False: there
 * is no room, or the heap is corrupt and the fault is recorded. */
bool fast_block_resize(struct heap *heap, uint8_t *block, uint64_t header, size_t size_bytes);

#endif
