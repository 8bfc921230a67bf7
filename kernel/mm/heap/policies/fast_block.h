/*
 * fast_block.h - blocks of the fast policy outside of slabs, and the search for memory if the
 * current slab cannot serve a request.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_BLOCK_H
#define KERNEL_MM_HEAP_POLICIES_FAST_BLOCK_H

#include "kernel/mm/heap/policies/fast_class.h"

/* Return a block for more than FAST_PADDED_MAX bytes. NULL: there is no memory; the failure is
 * counted, and a corruption is reported. */
void *fast_block_allocate(struct heap *heap, size_t size_bytes, const void *caller);

/* The same for a smaller size. The block may be any slot that has room. */
void *fast_block_allocate_small(struct heap *heap, size_t size_bytes, const void *caller);

/* The same, if a kept block or the free memory of the core serves the request at once. It gives no
 * sparse slab to the core. NULL: neither does, or the heap is corrupt. */
void *fast_block_allocate_at_once(struct heap *heap, size_t size_bytes);

/* The same for any size and an alignment above 16. */
void *fast_block_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                                  const void *caller);

/* Free a block that lies in no slab, or do nothing for NULL. A fault is reported. */
void fast_block_free(struct heap *heap, uint8_t *block, const void *caller);

/* The same for a block that fast_validate_block() has accepted; `header` is its header. False: the
 * heap is corrupt, and the fault is recorded. */
bool fast_block_free_valid(struct heap *heap, uint8_t *block, uint64_t header);

/* Change the size of a block of the core without moving it. The header is the block's. False: there
 * is no room, or the heap is corrupt and the fault is recorded. */
bool fast_block_resize(struct heap *heap, uint8_t *block, uint64_t header, size_t size_bytes);

#endif
