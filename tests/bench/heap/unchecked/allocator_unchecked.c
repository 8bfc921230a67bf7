/* The fast policy without its checks (HEAP_CHECKS=0), as a shared library that the benchmarks load
 * like any other peer. */
#include "tests/bench/heap/allocator_handoff.h"

extern __attribute__((visibility("default"))) struct bench_allocator bench_allocator;

BENCH_HANDOFF(allocator, "fast-unchecked", &heap_policy_fast, NULL, "fast", false);
