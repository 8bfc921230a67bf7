/* The malloc() of the C library. */
#include <stdlib.h>

#include "tests/bench/heap/allocator.h"

static bool start(size_t size_bytes, const char **ret_reason)
{
    (void)size_bytes;
    (void)ret_reason;
    return true;
}

struct bench_allocator bench_glibc = {
    .name = "glibc",
    .start = start,
    .allocate = malloc,
    .free = free,
    .reallocate = realloc,
};
