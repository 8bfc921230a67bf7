#include "tests/bench/heap/allocator_library.h"

#include <dlfcn.h>
#include <stdio.h>

static void *find(void *library, const char *prefix, const char *name)
{
    char symbol[64];
    (void)snprintf(symbol, sizeof symbol, "%s%s", prefix, name);
    return dlsym(library, symbol);
}

bool allocator_library_start(struct bench_allocator *allocator, const char *path,
                             const char *prefix, const char **ret_reason)
{
    if (allocator->allocate != NULL)
        return true;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *ret_reason = "its library is missing, or there is no room for its thread-local variables";
    if (library == NULL)
        return false;
    *ret_reason = "a function is missing from its library";
    void *allocate = find(library, prefix, "malloc");
    *(void **)&allocator->free = find(library, prefix, "free");
    *(void **)&allocator->reallocate = find(library, prefix, "realloc");
    if (allocate == NULL || allocator->free == NULL || allocator->reallocate == NULL)
        return false;
    *(void **)&allocator->allocate = allocate;
    return true;
}
