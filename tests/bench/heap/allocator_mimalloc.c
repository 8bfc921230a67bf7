/* Debian's libmimalloc. */
#include "tests/bench/heap/allocator_library.h"

extern struct bench_allocator bench_mimalloc;

static bool start(size_t size_bytes, const char **ret_reason)
{
    (void)size_bytes;
    return allocator_library_start(&bench_mimalloc, "libmimalloc.so.2.0", "mi_", ret_reason);
}

struct bench_allocator bench_mimalloc = {.name = "mimalloc", .start = start};
