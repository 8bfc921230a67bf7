/*
 * heap_policy_test.h - tests that run for each policy, without layers and under the layer of
 * heap_debug.h.
 *
 * A test program has a table of tests and calls heap_policy_test_run(). Each test gets a fixture:
 * an arena without a heap, the policy, and a flag for the layer.
 */
#ifndef TESTS_UNIT_SUPPORT_HEAP_POLICY_TEST_H
#define TESTS_UNIT_SUPPORT_HEAP_POLICY_TEST_H

#include <string.h>

#include "kernel/mm/heap_policies.h"
#include "tests/unit/support/cmocka.h"
#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/random.h"

#define MIB         ((size_t)1 << 20)
#define ARENA_BYTES (8 * MIB)

struct fixture {
    const struct heap_policy *policy;
    bool debug;
    struct heap_arena arena;
    struct heap *heap;
    struct random random;
};

static void *const CALLER = (void *)0x1111;
static void *const OTHER_CALLER = (void *)0x2222;

/* --- Running ---------------------------------------------------------------------------------- */

struct heap_policy_test {
    const char *name;
    CMUnitTestFunction run;
    bool is_of_policy; /* tests only the policy, so it does not run under the layer */
};

#define TEST(function)                                                                             \
    {                                                                                              \
        .name = #function, .run = function                                                         \
    }
#define TEST_OF_POLICY(function)                                                                   \
    {                                                                                              \
        .name = #function, .run = function, .is_of_policy = true                                   \
    }

/* Run the tests, and return the result for main(). HEAP_TESTS in the environment is a filter of
 * names ("fast: *"). */
int heap_policy_test_run(const char *group, const struct heap_policy_test *tests, size_t count);

/* --- Heaps ------------------------------------------------------------------------------------ */

static inline struct heap *start(struct fixture *fixture, struct heap_configuration configuration)
{
    configuration.policy = fixture->policy;
    heap_arena_set_debug(&fixture->arena, &configuration, fixture->debug);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    fixture->arena.fault_count = 0;
    return fixture->heap;
}

static inline struct heap *start_fixed(struct fixture *fixture, size_t size_bytes)
{
    return start(fixture, heap_arena_fixed(&fixture->arena, size_bytes));
}

static inline struct heap *start_growing(struct fixture *fixture, size_t limit_bytes)
{
    fixture->arena.grow_count = 0;
    return start(fixture, heap_arena_growing(&fixture->arena, limit_bytes));
}

static inline void *allocate(struct heap *heap, size_t size_bytes)
{
    void *block = heap_allocate(heap, size_bytes, CALLER);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % HEAP_ALIGNMENT_BYTES, 0);
    return block;
}

/* Allocate blocks of this size, so that the next one lies among them. */
static inline void populate(struct heap *heap, size_t size_bytes, unsigned count)
{
    for (unsigned i = 0; i < count && size_bytes <= 1024; i++)
        memset(allocate(heap, size_bytes), 0x41, size_bytes);
}

/* Fill a heap until no request succeeds. */
static inline void fill(struct heap *heap)
{
    for (size_t size_bytes = MIB; size_bytes != 0; size_bytes /= 2) {
        while (heap_allocate(heap, size_bytes, CALLER) != NULL)
            continue;
    }
    while (heap_allocate(heap, 0, CALLER) != NULL)
        continue;
}

/* Sizes at every limit that a policy may have. */
static const size_t SIZES[] = {0,   1,   7,   8,   9,   15,  16,  17,   23,   24,   25,  31,
                               32,  40,  47,  48,  63,  64,  65,  100,  128,  200,  255, 256,
                               257, 271, 272, 273, 500, 512, 999, 1024, 1048, 1049, 5000};
#define SIZE_COUNT (sizeof SIZES / sizeof SIZES[0])

/* Numbers of blocks of a size: 0, enough for slabs, enough for dense slabs. */
static const unsigned POPULATIONS[] = {0, 140, 3000};
#define POPULATION_COUNT 3

/* --- Expectations ----------------------------------------------------------------------------- */

static inline void assert_no_problem(const char *problem)
{
    if (problem != NULL)
        fail_msg("%s", problem);
}

static inline void assert_sound(const struct heap *heap)
{
    const char *problem = heap_check(heap);
    if (problem != NULL)
        fail_msg("heap_check: %s", problem);
}

static inline struct heap_statistics statistics_of(const struct heap *heap)
{
    struct heap_statistics statistics;
    heap_statistics(heap, &statistics);
    return statistics;
}

/* Expect one fault of that kind, found by a call of OTHER_CALLER. */
static inline void assert_fault(struct fixture *fixture, enum heap_fault_kind kind)
{
    assert_int_equal(fixture->arena.fault_count, 1);
    if (fixture->arena.fault.kind != kind)
        fail_msg("%s (%s) instead of %s", heap_fault_kind_name(fixture->arena.fault.kind),
                 fixture->arena.fault.detail, heap_fault_kind_name(kind));
    assert_ptr_equal(fixture->arena.fault.caller, OTHER_CALLER);
    fixture->arena.fault_count = 0;
}

static inline uint32_t next_random(void *context)
{
    return (uint32_t)(random_next(context) >> 16);
}

#endif
