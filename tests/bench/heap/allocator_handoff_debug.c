/* A variant with heap_debug=on. It shows the cost of the debug layer. */
#include "kernel/mm/heap/include/handoff/heap_debug.h"
#include "tests/bench/heap/allocator_handoff.h"

static void with_debug(struct heap_configuration *configuration)
{
    static struct heap_debug_storage debug;
    configuration->debug = heap_debug_layer(&debug);
}

BENCH_HANDOFF(fast_debug, "fast+debug", &heap_policy_fast, with_debug, "fast", false);
BENCH_HANDOFF(best_fit_debug, "best-fit+debug", &heap_policy_best_fit, with_debug, "best-fit",
              false);
