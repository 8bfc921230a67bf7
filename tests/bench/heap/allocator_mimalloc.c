/* Debian's libmimalloc, loaded at run time, so that it does not replace the C library's malloc. */
#include <dlfcn.h>

#include "tests/bench/heap/allocator.h"

extern struct bench_allocator bench_mimalloc;

static bool start(size_t size_bytes, const char **ret_reason)
{
    (void)size_bytes;
    static void *library;
    if (library == NULL)
        library = dlopen("libmimalloc.so.2.0", RTLD_NOW | RTLD_LOCAL);
    *ret_reason = "its library is missing, or there is no room for its thread-local variables";
    if (library == NULL)
        return false;
    *ret_reason = "a function is missing from its library";
    *(void **)&bench_mimalloc.allocate = dlsym(library, "mi_malloc");
    *(void **)&bench_mimalloc.free = dlsym(library, "mi_free");
    *(void **)&bench_mimalloc.reallocate = dlsym(library, "mi_realloc");
    return bench_mimalloc.allocate != NULL && bench_mimalloc.free != NULL &&
           bench_mimalloc.reallocate != NULL;
}

struct bench_allocator bench_mimalloc = {.name = "mimalloc", .start = start};
