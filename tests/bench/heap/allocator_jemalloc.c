/* Debian's libjemalloc. */
#include "tests/bench/heap/allocator_library.h"

extern struct bench_allocator bench_jemalloc;

static bool start(size_t size_bytes, const char **ret_reason)
{
    (void)size_bytes;
    return allocator_library_start(&bench_jemalloc, "libjemalloc.so.2", "", ret_reason);
}

struct bench_allocator bench_jemalloc = {.name = "jemalloc", .start = start};
