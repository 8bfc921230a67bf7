/*
 * fuzz_heap_oracle.c - run a stream of operations on a heap and on an oracle, with a full check
 * after each. The heap has any policy, with or without the layer of heap_debug.h. Many blocks have
 * few sizes, so that the fast policy uses its slabs. Half of the heaps have blocks between guard
 * pages, and some of these allocations fail. Half of these heaps also grow and shrink, with the
 * same pages. Half of those give pages inside of the heap back.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/mm/heap/include/handoff/heap.h"
#include "tests/fuzz/require.h"
#include "tests/unit/support/byte_stream.h"
#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/heap_oracle.h"

#define REGION_BYTES      ((size_t)768 * 1024)
#define INPUT_LIMIT_BYTES ((size_t)1500)
#define WINDOW_BYTES      ((size_t)2 << 20)
/* Trim rarely: it is slow, and it empties the caches of the policy. */
#define TRIM_STEP_COUNT 20

static _Alignas(65536) uint8_t region[REGION_BYTES];

static uint32_t next(void *context)
{
    return (uint32_t)byte_stream_next(context, 2);
}

static void fault(void *context, const struct heap_fault *what)
{
    (void)context;
    require_no_problem(what->detail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static const struct heap_policy *const policies[] = {
        &heap_policy_fast, &heap_policy_bump, &heap_policy_first_fit, &heap_policy_best_fit};
    static union heap_policies_storage storage;
    static struct heap_debug_storage debug;
    struct heap *heap;
    static struct heap_oracle oracle;
    struct byte_stream stream = {
        data, size_bytes < INPUT_LIMIT_BYTES ? size_bytes : INPUT_LIMIT_BYTES, 0};
    size_t choice = byte_stream_next(&stream, 1);
    size_t heap_bytes = choice < 128 ? REGION_BYTES : 4096 + choice % 16 * 4096;
    struct heap_configuration configuration = {
        .policy = policies[choice % 4],
        .storage = &storage,
        .storage_bytes = sizeof storage,
        .base = region,
        .initial_bytes = heap_bytes,
        .limit_bytes = heap_bytes,
        .secret = choice,
        .debug = choice / 4 % 2 != 0 ? heap_debug_layer(&debug) : NULL,
        .fault = fault,
    };
    size_t guard = byte_stream_next(&stream, 1);
    struct heap_arena arena;
    heap_arena_create(&arena, REGION_BYTES);
    if (guard >= 192) {
        const struct heap_configuration fixed = configuration;
        configuration = heap_arena_growing(&arena, REGION_BYTES);
        configuration.policy = fixed.policy;
        configuration.secret = fixed.secret;
        configuration.debug = fixed.debug;
        configuration.fault = fault;
        if (guard % 2 == 0)
            heap_arena_restore_pages(&arena, &configuration);
    }
    if (guard >= 128) {
        arena.budget_bytes = 16 * WINDOW_BYTES / (1 + guard % 32);
        arena.failing_grow = (unsigned)(guard % 16) * 3;
        heap_arena_add_guarded(&arena, &configuration, WINDOW_BYTES,
                               guard % 8 == 0 ? SIZE_MAX : guard % 8 * 1000, guard / 8 % 4);
    }
    memset(region, 0x5e, 64);
    if (heap_initialise(&configuration, &heap) != HEAP_OK) {
        require(arena.grow_count == 1 && arena.usable_bytes == 0);
        heap_arena_destroy(&arena);
        return 0;
    }
    heap_oracle_begin(&oracle, heap, next, &stream);
    for (unsigned step = 1; !byte_stream_is_empty(&stream); step++) {
        require_no_problem(heap_oracle_step(&oracle));
        if (step % TRIM_STEP_COUNT == 0)
            heap_trim(heap);
        require_no_problem(heap_oracle_check(&oracle));
    }
    require_no_problem(heap_oracle_end(&oracle));
    struct heap_statistics statistics;
    heap_statistics(heap, &statistics);
    require(statistics.guarded_bytes == arena.guarded_usable_bytes);
    heap_arena_destroy(&arena);
    return 0;
}
