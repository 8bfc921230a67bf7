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

static bool start(const struct heap_policy *policy, size_t size_bytes, const char **ret_reason)
{
    const struct heap_configuration configuration = {
        .policy = policy,
        .base = bench_region(size_bytes),
        .initial_bytes = size_bytes,
        .limit_bytes = size_bytes,
        .secret = 0x0123456789abcdef,
        .fault = fault,
    };
    enum heap_status status = heap_initialise(&configuration, &heap);
    *ret_reason = heap_status_name(status);
    return status == HEAP_OK;
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

#define POLICY(policy, policy_name, newest_only)                                                   \
    static bool start_##policy(size_t size_bytes, const char **ret_reason)                         \
    {                                                                                              \
        return start(&heap_policy_##policy, size_bytes, ret_reason);                               \
    }                                                                                              \
    struct bench_allocator bench_##policy = {                                                      \
        .name = policy_name,                                                                       \
        .has_region = true,                                                                        \
        .frees_newest_only = newest_only,                                                          \
        .start = start_##policy,                                                                   \
        .allocate = allocate,                                                                      \
        .free = release,                                                                           \
        .reallocate = reallocate,                                                                  \
    }

POLICY(fast, "fast", false);
POLICY(best_fit, "best-fit", false);
POLICY(first_fit, "first-fit", false);
POLICY(bump, "bump", true);
