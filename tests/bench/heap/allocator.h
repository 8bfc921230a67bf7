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
    /* Make `size_bytes` of memory ready, all of it free; called before each workload. False, with
     * *ret_reason, if this allocator cannot be had here. */
    bool (*start)(size_t size_bytes, const char **ret_reason);
    void *(*allocate)(size_t size_bytes);
    void (*free)(void *block);
    void *(*reallocate)(void *block, size_t size_bytes);
};

/* Ends with a NULL. */
extern struct bench_allocator *const bench_allocators[];

/* The region for allocators that need one: page-aligned, touched, so that no page fault is timed. */
void *bench_region(size_t size_bytes);

#endif
