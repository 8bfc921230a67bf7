/*
 * best_fit_test.h - a fixture for tests that read the data of a best-fit heap.
 */
#ifndef TESTS_UNIT_SUPPORT_BEST_FIT_TEST_H
#define TESTS_UNIT_SUPPORT_BEST_FIT_TEST_H

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/heap/policies/best_fit.h"
#include "tests/unit/support/cmocka.h"
#include "tests/unit/support/heap_arena.h"

#define ARENA_BYTES  ((size_t)1 << 20)
#define HEADER_BYTES 32

struct fixture {
    struct heap_arena arena;
    struct heap *heap;
};

static void *const CALLER = (void *)0x1111;
static void *const OTHER_CALLER = (void *)0x2222;

static inline int create_arena(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    heap_arena_create(&fixture->arena, ARENA_BYTES);
    *state = fixture;
    return 0;
}

static inline int destroy_arena(void **state)
{
    struct fixture *fixture = *state;
    heap_arena_destroy(&fixture->arena);
    free(fixture);
    return 0;
}

static inline struct heap *start_fixed(struct fixture *fixture, size_t size_bytes)
{
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, size_bytes);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    fixture->arena.fault_count = 0;
    return fixture->heap;
}

static inline struct heap *start_growing(struct fixture *fixture, size_t limit_bytes)
{
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, limit_bytes);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    fixture->arena.fault_count = 0;
    return fixture->heap;
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
    assert_int_equal(statistics.used_bytes + statistics.free_bytes + statistics.overhead_bytes,
                     statistics.size_bytes);
    return statistics;
}

static inline void *allocate(struct heap *heap, size_t size_bytes)
{
    void *block = heap_allocate(heap, size_bytes, CALLER);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % HEAP_ALIGNMENT_BYTES, 0);
    return block;
}

static inline void assert_fault(const struct fixture *fixture, enum heap_fault_kind kind)
{
    assert_int_equal(fixture->arena.fault_count, 1);
    if (fixture->arena.fault.kind != kind)
        fail_msg("%s (%s) instead of %s", heap_fault_kind_name(fixture->arena.fault.kind),
                 fixture->arena.fault.detail, heap_fault_kind_name(kind));
}

static inline uint32_t random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static inline void fill(uint8_t *block, size_t size_bytes, uint32_t seed)
{
    for (size_t i = 0; i < size_bytes; i++)
        block[i] = (uint8_t)(seed + i * 7);
}

static inline void assert_filled(const uint8_t *block, size_t size_bytes, uint32_t seed)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (block[i] != (uint8_t)(seed + i * 7))
            fail_msg("byte %zu of %zu changed", i, size_bytes);
    }
}

#define ON_ARENA(test) cmocka_unit_test_setup_teardown(test, create_arena, destroy_arena)

#endif
