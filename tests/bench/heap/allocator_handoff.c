#include "tests/bench/heap/allocator_handoff.h"

#include <stdio.h>
#include <stdlib.h>

static union heap_policies_storage storage;
static struct heap *heap;

static void fault(void *context, const struct heap_fault *what)
{
    (void)context;
    (void)fprintf(stderr, "heap fault: %s: %s\n", heap_fault_kind_name(what->kind), what->detail);
    abort();
}

bool bench_handoff_start(const struct heap_policy *policy,
                         void (*configure)(struct heap_configuration *), size_t size_bytes,
                         const char **ret_reason)
{
    struct heap_configuration configuration = {
        .policy = policy,
        .storage = &storage,
        .storage_bytes = sizeof storage,
        .base = bench_region(size_bytes),
        .initial_bytes = size_bytes,
        .limit_bytes = size_bytes,
        .secret = 0x0123456789abcdef,
        .fault = fault,
    };
    if (configure != NULL)
        configure(&configuration);
    enum heap_status status = heap_initialise(&configuration, &heap);
    *ret_reason = heap_status_name(status);
    return status == HEAP_OK;
}

void *bench_handoff_allocate(size_t size_bytes)
{
    return heap_allocate(heap, size_bytes, NULL);
}

void bench_handoff_free(void *block)
{
    heap_free(heap, block, NULL);
}

void *bench_handoff_reallocate(void *block, size_t size_bytes)
{
    return heap_reallocate(heap, block, size_bytes, NULL);
}

BENCH_HANDOFF(fast, "fast", &heap_policy_fast, NULL, NULL, false);
BENCH_HANDOFF(best_fit, "best-fit", &heap_policy_best_fit, NULL, NULL, false);
BENCH_HANDOFF(first_fit, "first-fit", &heap_policy_first_fit, NULL, NULL, false);
BENCH_HANDOFF(bump, "bump", &heap_policy_bump, NULL, NULL, true);
