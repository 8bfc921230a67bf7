/* Debian's libjemalloc, loaded at run time, so that it does not replace the C library's malloc. */
#include <dlfcn.h>

#include "tests/bench/heap/allocator.h"

extern struct bench_allocator bench_jemalloc;

static bool start(size_t size_bytes, const char **ret_reason)
{
    (void)size_bytes;
    static void *library;
    if (library == NULL)
        library = dlopen("libjemalloc.so.2", RTLD_NOW | RTLD_LOCAL);
    *ret_reason = "its library is missing, or there is no room for its thread-local variables";
    if (library == NULL)
        return false;
    *ret_reason = "a function is missing from its library";
    *(void **)&bench_jemalloc.allocate = dlsym(library, "malloc");
    *(void **)&bench_jemalloc.free = dlsym(library, "free");
    *(void **)&bench_jemalloc.reallocate = dlsym(library, "realloc");
    return bench_jemalloc.allocate != NULL && bench_jemalloc.free != NULL &&
           bench_jemalloc.reallocate != NULL;
}

struct bench_allocator bench_jemalloc = {.name = "jemalloc", .start = start};
