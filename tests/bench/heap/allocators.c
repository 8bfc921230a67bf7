#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/heap/allocator.h"

extern struct bench_allocator bench_harness, bench_fast, bench_best_fit, bench_first_fit,
    bench_bump, bench_glibc, bench_mimalloc, bench_jemalloc, bench_scudo, bench_fast_debug,
    bench_best_fit_debug;

struct bench_allocator *bench_allocators[BENCH_ALLOCATORS_MAX + 1] = {
    &bench_harness,  &bench_fast,       &bench_bump,           &bench_first_fit,
    &bench_best_fit, &bench_glibc,      &bench_mimalloc,       &bench_jemalloc,
    &bench_scudo,    &bench_fast_debug, &bench_best_fit_debug,
};

static void add(struct bench_allocator *allocator)
{
    for (size_t i = 0; i < BENCH_ALLOCATORS_MAX; i++) {
        if (bench_allocators[i] == NULL) {
            bench_allocators[i] = allocator;
            return;
        }
    }
    (void)fprintf(stderr, "too many allocators: %s is left out\n", allocator->name);
}

void bench_allocators_load(void)
{
    const char *paths = getenv("HEAP_BENCH_PEERS");
    if (paths == NULL)
        return;
    char *list = strdup(paths);
    for (char *path = strtok(list, ":"); path != NULL; path = strtok(NULL, ":")) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        struct bench_allocator *allocator =
            library == NULL ? NULL : dlsym(library, "bench_allocator");
        if (allocator == NULL)
            (void)fprintf(stderr, "%s: %s\n", path, dlerror());
        else
            add(allocator);
    }
    free(list);
}
