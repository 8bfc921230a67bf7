#include "tests/bench/heap/allocator.h"

extern struct bench_allocator bench_harness, bench_fast, bench_best_fit, bench_glibc,
    bench_mimalloc, bench_jemalloc;

struct bench_allocator *const bench_allocators[] = {
    &bench_harness, &bench_fast, &bench_glibc, &bench_mimalloc, &bench_jemalloc,
    NULL,
};
