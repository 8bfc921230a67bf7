/*
 * provoke_heap.h - misuse kmalloc() on purpose, in every way: `provoke=heap-NAME`.
 *
 * The names are in docs/LOG.md. Every policy finds a misuse if it is one there (a bump heap has no
 * free list; the others free in any order).
 */
#ifndef KERNEL_DIAGNOSTICS_PROVOKE_HEAP_H
#define KERNEL_DIAGNOSTICS_PROVOKE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/kernel.h"

/* Do the named misuse. Return true if the heap does not find it, and false for an unknown name. */
bool provoke_heap(struct kernel *kernel, const char *name);

/* Return a name by index, from 0 on; NULL behind the last. */
const char *provoke_heap_name(size_t index);

#endif
