/* The permanent heap's configuration, from its settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/mm/heap_setup.h"
#include "tests/unit/support/heap_arena.h"

#define ARENA_BYTES   ((size_t)1 << 20)
#define GUARDED_BYTES ((size_t)16 << 20)

static struct heap_setup setup;

/* A heap in the arena, started from such settings. */
static struct heap *start(struct heap_arena *arena, const struct heap_policy *policy, bool debug,
                          uint64_t guarded_bytes)
{
    struct heap_configuration plain = heap_arena_growing(arena, ARENA_BYTES);
    heap_arena_add_guarded(arena, &plain, GUARDED_BYTES, 8192, 0);
    const struct heap_settings settings = {
        .policy = policy,
        .base = virt_addr((uintptr_t)arena->base),
        .limit_bytes = ARENA_BYTES,
        .debug = debug,
        .guarded_base = virt_addr((uintptr_t)arena->guarded_base),
        .guarded_bytes = guarded_bytes,
        .large_bytes = 8192,
    };
    struct heap_configuration configuration =
        heap_setup_configure(&setup, &settings, plain.pages, arena->guarded_configuration.pages);
    configuration.fault = plain.fault;
    configuration.fault_context = plain.fault_context;
    struct heap *heap = NULL;
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
    assert_ptr_equal(heap, &setup.policy);
    return heap;
}

static void assert_serves(struct heap_arena *arena, struct heap *heap,
                          const struct heap_policy *policy, bool debug, bool guarded)
{
    assert_string_equal(heap_policy_name(heap), policy->name);
    assert_ptr_equal(heap_base(heap), arena->base);
    void *small = heap_allocate(heap, 100, NULL);
    void *large = heap_allocate(heap, 20000, NULL);
    assert_non_null(small);
    assert_non_null(large);
    struct heap_statistics statistics;
    heap_statistics(heap, &statistics);
    assert_int_equal(statistics.limit_bytes, ARENA_BYTES);
    assert_int_equal(statistics.guarded_block_count, guarded);
    heap_free(heap, large, NULL);
    heap_free(heap, small, NULL);
    heap_statistics(heap, &statistics);
    assert_int_equal(statistics.quarantine_block_count, debug ? 2 - guarded : 0);
    assert_null(heap_check(heap));
    assert_int_equal(arena->fault_count, 0);
}

static void test_every_policy_with_every_layer(void **state)
{
    (void)state;
    static const struct heap_policy *const POLICIES[] = {&heap_policy_first_fit,
                                                         &heap_policy_best_fit, &heap_policy_fast};
    for (size_t i = 0; i < 4 * sizeof POLICIES / sizeof POLICIES[0]; i++) {
        bool debug = i / 3 % 2 != 0;
        bool guarded = i / 6 != 0;
        struct heap_arena arena;
        heap_arena_create(&arena, ARENA_BYTES);
        struct heap *heap = start(&arena, POLICIES[i % 3], debug, guarded ? GUARDED_BYTES : 0);
        assert_serves(&arena, heap, POLICIES[i % 3], debug, guarded);
        heap_arena_destroy(&arena);
    }
}

static void test_policies_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(heap_policies_find("bump"), &heap_policy_bump);
    assert_ptr_equal(heap_policies_find("first-fit"), &heap_policy_first_fit);
    assert_ptr_equal(heap_policies_find("best-fit"), &heap_policy_best_fit);
    assert_ptr_equal(heap_policies_find("fast"), &heap_policy_fast);
    assert_null(heap_policies_find("fastest"));
    assert_null(heap_policies_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_policy_with_every_layer),
        cmocka_unit_test(test_policies_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
