/*
 * heap_brief.h - the figures of a heap that cost no walk, for a panic.
 *
 * heap_statistics() reads every block, so it needs the lock and an intact heap. These figures are
 * fields of the heap. The panic may have come in the middle of an operation, which then has counted
 * a part of its work.
 */
#ifndef KERNEL_MM_HEAP_HEAP_BRIEF_H
#define KERNEL_MM_HEAP_HEAP_BRIEF_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/heap/include/handoff/heap.h"

struct heap_brief {
    size_t size_bytes; /* of the policy's window */
    size_t limit_bytes;
    size_t used_bytes; /* in live blocks of the policy, with what a debug layer adds */
    size_t peak_bytes; /* the largest used_bytes so far */
    uint64_t free_count;
    uint64_t failure_count;
};

/* Read them. No lock is needed. */
struct heap_brief heap_brief(const struct heap *heap);

#endif
