/* This project's heap, a policy each. */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/mm/heap/heap.h"
#include "tests/bench/heap/allocator.h"

static struct heap heap;

static void fault(void *context, const struct heap_fault *what)
{
    (void)context;
    (void)fprintf(stderr, "heap fault: %s: %s\n", heap_fault_kind_name(what->kind), what->detail);
    abort();
}

static bool start(const struct heap_policy *policy, size_t size_bytes)
{
    const struct heap_configuration configuration = {
        .policy = policy,
        .base = bench_region(size_bytes),
        .initial_bytes = size_bytes,
        .limit_bytes = size_bytes,
        .secret = 0x0123456789abcdef,
        .fault = fault,
    };
    return heap_initialise(&configuration, &heap) == HEAP_OK;
}

static bool start_fast(size_t size_bytes, const char **ret_reason)
{
    *ret_reason = "the heap refuses the region";
    return start(&heap_policy_fast, size_bytes);
}

static bool start_best_fit(size_t size_bytes, const char **ret_reason)
{
    *ret_reason = "the heap refuses the region";
    return start(&heap_policy_best_fit, size_bytes);
}

static void *allocate(size_t size_bytes)
{
    return heap_allocate(&heap, size_bytes, NULL);
}

static void release(void *block)
{
    heap_free(&heap, block, NULL);
}

static void *reallocate(void *block, size_t size_bytes)
{
    return heap_reallocate(&heap, block, size_bytes, NULL);
}

#define POLICY(variable, policy_name, start_function)                                              \
    struct bench_allocator variable = {                                                            \
        .name = policy_name,                                                                       \
        .has_region = true,                                                                        \
        .start = start_function,                                                                   \
        .allocate = allocate,                                                                      \
        .free = release,                                                                           \
        .reallocate = reallocate,                                                                  \
    }

POLICY(bench_fast, "fast", start_fast);
POLICY(bench_best_fit, "best-fit", start_best_fit);
