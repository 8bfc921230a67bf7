/*
 * provoke_heap.h - every misuse of kmalloc(), on purpose: `provoke=heap-NAME`.
 *
 * The names are in docs/LOG.md. Each is found by every policy as far as it can be one there (a bump
 * heap has no free list; the others free in any order).
 */
#ifndef KERNEL_DIAGNOSTICS_PROVOKE_HEAP_H
#define KERNEL_DIAGNOSTICS_PROVOKE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/kernel.h"

/* Do the named misuse; returns if the heap let it pass. False for an unknown name. */
bool provoke_heap(struct kernel *kernel, const char *name);

/* The names one by one, from index 0 on; NULL behind the last. */
const char *provoke_heap_name(size_t index);

#endif
