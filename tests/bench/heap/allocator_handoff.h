/*
 * allocator_handoff.h - this project's heap in the benchmark. A policy with a layer or a special
 * setting is one small file with a BENCH_HANDOFF() and its configuration function, and a name in
 * allocators.c. The benchmark then prints the cost of the layer.
 */
#ifndef TESTS_BENCH_HEAP_ALLOCATOR_HANDOFF_H
#define TESTS_BENCH_HEAP_ALLOCATOR_HANDOFF_H

#include "kernel/mm/heap_policies.h"
#include "tests/bench/heap/allocator.h"

/* These functions are members of struct bench_allocator, on one heap. `configure` may be NULL. */
bool bench_handoff_start(const struct heap_policy *policy,
                         void (*configure)(struct heap_configuration *), size_t size_bytes,
                         const char **ret_reason);
void *bench_handoff_allocate(size_t size_bytes);
void bench_handoff_free(void *block);
void *bench_handoff_reallocate(void *block, size_t size_bytes);

/* Define struct bench_allocator bench_SUFFIX. `base_name` is NULL, or the name of the allocator of
 * which it is a variant. */
#define BENCH_HANDOFF(suffix, its_name, policy, configure, base_name, newest_only)                 \
    static bool start_##suffix(size_t size_bytes, const char **ret_reason)                         \
    {                                                                                              \
        return bench_handoff_start(policy, configure, size_bytes, ret_reason);                     \
    }                                                                                              \
    struct bench_allocator bench_##suffix = {                                                      \
        .name = its_name,                                                                          \
        .variant_of = base_name,                                                                   \
        .has_region = true,                                                                        \
        .frees_newest_only = newest_only,                                                          \
        .start = start_##suffix,                                                                   \
        .allocate = bench_handoff_allocate,                                                        \
        .free = bench_handoff_free,                                                                \
        .reallocate = bench_handoff_reallocate,                                                    \
    }

#endif
