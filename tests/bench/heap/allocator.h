/*
 * allocator.h - the interface of the allocators that the heap benchmark measures. To add one, write
 * a file that fills a struct bench_allocator, and name it in allocators.c.
 */
#ifndef TESTS_BENCH_HEAP_ALLOCATOR_H
#define TESTS_BENCH_HEAP_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

struct bench_allocator {
    const char *name;
    /* It uses only a fixed amount of memory, so that its use of memory can be measured. */
    bool has_region;
    /* It frees only the newest block, so it cannot run most workloads. */
    bool frees_newest_only;
    /* Make `size_bytes` of memory ready, all of it free. Called before each workload. Return false,
     * and a reason in *ret_reason, if this allocator is not available. */
    bool (*start)(size_t size_bytes, const char **ret_reason);
    void *(*allocate)(size_t size_bytes);
    void (*free)(void *block);
    void *(*reallocate)(void *block, size_t size_bytes);
    /* NULL, or the name of the allocator that this is with other checks. The benchmark then prints
     * the cost of the checks. */
    const char *variant_of;
};

#define BENCH_ALLOCATORS_MAX 24

/* The list ends with a NULL. */
extern struct bench_allocator *bench_allocators[];

/* Add the allocators in the shared libraries that HEAP_BENCH_PEERS names, separated by colons. Each
 * library defines a struct bench_allocator bench_allocator. In this way the benchmark can measure
 * an allocator that not every machine has, or that is in another language. */
void bench_allocators_load(void);

/* Return the region for allocators that need one. It is page-aligned and already touched, so that
 * no page fault is timed. After bench_region_untouched(), its pages appear at the first write, so
 * that they can be counted. End the program if there is no memory. */
void *bench_region(size_t size_bytes);
void bench_region_untouched(void);

#endif
