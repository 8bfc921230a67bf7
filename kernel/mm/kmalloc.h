/*
 * kmalloc.h - the kernel's heap, under the usual names.
 *
 * A thin layer over one struct heap; kernel/mm/heap/include/handoff/heap.h has the exact semantics.
 * Each kind of misuse and corruption panics with its own code. Exhaustion is logged with the heap's
 * usage.
 *
 * Concurrency: any CPU, and interrupt handlers. One lock serialises all calls. The heap allocates
 * frames and changes page tables under this lock when it grows or shrinks. Other code that changes
 * them must do so before anyone else uses the heap. Nothing is logged while the lock is held.
 *
 * Phase: after kmalloc_online(). Before it, every call panics (PANIC_HEAP_INIT).
 */
#ifndef KERNEL_MM_KMALLOC_H
#define KERNEL_MM_KMALLOC_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/mm/heap/include/handoff/guarded.h"

/* The `fault` callback for the kernel's heap_configuration. It panics with PANIC_HEAP_DOUBLE_FREE,
 * _BAD_POINTER, _OVERRUN or _CORRUPT. The panic names block, size and callers. */
void kmalloc_fault(void *context, const struct heap_fault *fault);

/* Let kmalloc() use `heap` from now on. The caller still owns the heap, which must outlive all
 * calls. A second call panics. */
void kmalloc_online(struct heap *heap);

/* Write which guarded block an address belongs to, for the handler of a page fault. False: the
 * address is not in the guarded window, or there is no heap online. Takes no lock. */
bool kmalloc_find_incident(const void *address, struct guarded_incident *ret_incident);

/* Return at least `size_bytes` bytes, aligned to 16. Size 0 returns a distinct block. NULL: there
 * is no memory, and the log has the usage. */
void *kmalloc(size_t size_bytes) __attribute__((warn_unused_result, malloc));

/* Free a block. NULL is ignored. Any other pointer that is not a live, intact block panics. */
void kfree(void *block);

/* Change a block's size; its alignment stays. A NULL block allocates. Size 0 frees and returns
 * NULL. Otherwise NULL means that there is no memory; the old block is unchanged. */
void *krealloc(void *block, size_t size_bytes) __attribute__((warn_unused_result));

/* Return `count` zeroed elements. NULL also if the product wraps. */
void *kcalloc(size_t count, size_t element_bytes) __attribute__((warn_unused_result, malloc));

/* The same as kmalloc(), at a multiple of `alignment_bytes`, a power of two. Any other alignment
 * returns NULL and logs a line. */
void *kmalloc_aligned(size_t size_bytes, size_t alignment_bytes)
    __attribute__((warn_unused_result, malloc));

#endif
