/* Not an allocator: it returns the same memory again and again. It shows the cost of the benchmark
 * itself. */
#include "tests/bench/heap/allocator.h"

static unsigned char *next, *end, *first;

static bool start(size_t size_bytes, const char **ret_reason)
{
    (void)ret_reason;
    first = bench_region(size_bytes);
    end = first + size_bytes - 65536;
    next = first;
    return true;
}

static void *allocate(size_t size_bytes)
{
    void *block = next;
    next += size_bytes & ~(size_t)15;
    if (next > end)
        next = first;
    return block;
}

static void do_nothing(void *block)
{
    (void)block;
}

static void *reallocate(void *block, size_t size_bytes)
{
    (void)size_bytes;
    return block;
}

struct bench_allocator bench_harness = {
    .name = "(harness)",
    .start = start,
    .allocate = allocate,
    .free = do_nothing,
    .reallocate = reallocate,
};
