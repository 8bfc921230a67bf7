/*
 * heap_workload.h - the requests of the measurements of a heap, in the kernel (measure_heap.c) and
 * on the host (tests/bench/heap). Sizes and places come from a seed, and are the same on every
 * machine.
 *
 * Phase: any.
 */
#ifndef KERNEL_DIAGNOSTICS_HEAP_WORKLOAD_H
#define KERNEL_DIAGNOSTICS_HEAP_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

struct heap_workload {
    uint64_t state;
};

static inline struct heap_workload heap_workload_start(uint64_t seed)
{
    return (struct heap_workload){seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
}

/* 48 random bits: xorshift64* (Vigna 2016). */
static inline uint64_t heap_workload_next(struct heap_workload *workload)
{
    workload->state ^= workload->state >> 12;
    workload->state ^= workload->state << 25;
    workload->state ^= workload->state >> 27;
    return workload->state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static inline size_t heap_workload_between(struct heap_workload *workload, size_t least,
                                           size_t most)
{
    return least + heap_workload_next(workload) % (most - least + 1);
}

/* Return a size that is typical for a kernel: mostly small structures of a few sizes, names, some
 * buffers, rarely one or two pages. */
static inline size_t heap_workload_kernel_size(struct heap_workload *workload)
{
    static const size_t structures[] = {16, 32, 48, 64, 96, 128, 192, 256};
    size_t kind = heap_workload_next(workload) % 100;
    if (kind < 55)
        return structures[heap_workload_next(workload) % 8];
    if (kind < 75)
        return heap_workload_between(workload, 8, 128);
    if (kind < 90)
        return heap_workload_between(workload, 128, 1024);
    if (kind < 97)
        return (size_t)512 << heap_workload_next(workload) % 3;
    return (size_t)2048 << heap_workload_next(workload) % 3;
}

#endif
