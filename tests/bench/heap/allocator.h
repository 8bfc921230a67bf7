/*
 * allocator.h - what the heap benchmark measures. Adding an allocator is one file: it fills a
 * struct bench_allocator and allocators.c names it.
 */
#ifndef TESTS_BENCH_HEAP_ALLOCATOR_H
#define TESTS_BENCH_HEAP_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

struct bench_allocator {
    const char *name;
    /* Serves from a fixed region alone, so that its use of memory can be measured. */
    bool has_region;
    /* Frees newest first alone: most workloads are not for it. */
    bool frees_newest_only;
    /* Make `size_bytes` of memory ready, all of it free; called before each workload. False, with
     * *ret_reason, if this allocator cannot be had here. */
    bool (*start)(size_t size_bytes, const char **ret_reason);
    void *(*allocate)(size_t size_bytes);
    void (*free)(void *block);
    void *(*reallocate)(void *block, size_t size_bytes);
    /* NULL, or the name of the allocator that this is, with more or fewer checks: what they cost is
     * shown beside it. */
    const char *variant_of;
};

#define BENCH_ALLOCATORS_MAX 24

/* Ends with a NULL. */
extern struct bench_allocator *bench_allocators[];

/* Add those in the shared libraries that HEAP_BENCH_PEERS names, separated by colons: each defines
 * a struct bench_allocator bench_allocator. So a peer that is not on every machine, or in another
 * language, can be measured beside the others. */
void bench_allocators_load(void);

/* The region for allocators that need one: page-aligned, and touched, so that no page fault is
 * timed. With bench_region_untouched() before, its pages come when they are written to instead, so
 * that they can be counted. Ends the program if there is no memory. */
void *bench_region(size_t size_bytes);
void bench_region_untouched(void);

#endif
