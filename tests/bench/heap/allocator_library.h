/*
 * allocator_library.h - an allocator in a shared library, loaded at run time, so that it does not
 * replace the malloc() of the C library.
 */
#ifndef TESTS_BENCH_HEAP_ALLOCATOR_LIBRARY_H
#define TESTS_BENCH_HEAP_ALLOCATOR_LIBRARY_H

#include "tests/bench/heap/allocator.h"

/* Load `path`, and set the functions of `allocator` to those with this prefix: PREFIXmalloc and so
 * on. The first success counts. False: *ret_reason says why it failed. */
bool allocator_library_start(struct bench_allocator *allocator, const char *path,
                             const char *prefix, const char **ret_reason);

#endif
