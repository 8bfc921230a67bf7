/* Scudo, which checks. It is a part of clang's run-time library, and the Makefile finds it. */
#include "tests/bench/heap/allocator_library.h"

extern struct bench_allocator bench_scudo;

static bool start(size_t size_bytes, const char **ret_reason)
{
    (void)size_bytes;
    return allocator_library_start(&bench_scudo, SCUDO_LIBRARY, "", ret_reason);
}

struct bench_allocator bench_scudo = {.name = "scudo", .start = start};
