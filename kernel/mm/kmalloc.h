/*
 * kmalloc.h - the kernel's heap, by the names that everybody knows.
 *
 * A thin layer over one struct heap (kernel/mm/heap/include/handoff/heap.h has the exact
 * semantics): misuse and corruption panic with a code of their own, exhaustion is logged with the
 * heap's usage.
 *
 * Concurrency: any CPU, and interrupt handlers. One lock serialises all calls; growing and giving
 * back move frames and page tables under it, so code that does that by itself must do so before
 * others use the heap. Nothing is logged while it is held.
 *
 * Phase: after kmalloc_online(); before, every call panics (PANIC_HEAP_INIT).
 */
#ifndef KERNEL_MM_KMALLOC_H
#define KERNEL_MM_KMALLOC_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/mm/heap/include/handoff/guarded.h"

/* The `fault` callback for the kernel's heap_configuration: panics with PANIC_HEAP_DOUBLE_FREE,
 * _BAD_POINTER, _OVERRUN or _CORRUPT, naming block, size and callers. */
void kmalloc_fault(void *context, const struct heap_fault *fault);

/* From now on kmalloc() serves from `heap`, which stays the caller's and must outlive all calls.
 * Once only: a second call panics. */
void kmalloc_online(struct heap *heap);

/* What an address is for the heap's guarded blocks, for the handler of a page fault. False if it is
 * not where these lie, or no heap is online. Takes no lock. */
bool kmalloc_find_incident(const void *address, struct guarded_incident *ret_incident);

/* At least `size_bytes` bytes, aligned to 16. Size 0 gives a block of its own. NULL, with usage in
 * the log, if there is no memory. */
void *kmalloc(size_t size_bytes) __attribute__((warn_unused_result, malloc));

/* NULL is ignored; anything else that is not a live, intact block panics. */
void kfree(void *block);

/* NULL allocates; size 0 frees and returns NULL. Otherwise NULL, with the old block intact, if
 * there is no memory. Keeps the block's alignment. */
void *krealloc(void *block, size_t size_bytes) __attribute__((warn_unused_result));

/* `count` zeroed elements. NULL also if the product wraps. */
void *kcalloc(size_t count, size_t element_bytes) __attribute__((warn_unused_result, malloc));

/* At a multiple of `alignment_bytes`, a power of two; NULL, with a line in the log, for any other
 * alignment. */
void *kmalloc_aligned(size_t size_bytes, size_t alignment_bytes)
    __attribute__((warn_unused_result, malloc));

/* The bytes that may be used of a live block: what was asked for. */
size_t kmalloc_usable_size(const void *block);

#endif
