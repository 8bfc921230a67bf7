/*
 * guarded_test.h - tests of blocks between guard pages, for each policy that may have them, with
 * and without the layer of heap_debug.h. A test program has a table of tests and calls
 * guarded_test_run(). Each test gets a fixture: an arena without a heap, and the levels below the
 * guarded layer.
 */
#ifndef TESTS_UNIT_SUPPORT_GUARDED_TEST_H
#define TESTS_UNIT_SUPPORT_GUARDED_TEST_H

#include <sanitizer/asan_interface.h>
#include <string.h>

#include "kernel/mm/heap/layers/guarded_state.h"
#include "tests/unit/support/cmocka.h"
#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/random.h"

#define MIB          ((size_t)1 << 20)
#define PAGE_BYTES   HEAP_PAGE_SIZE_BYTES
#define ARENA_BYTES  (8 * MIB)
#define WINDOW_BYTES (64 * MIB)
#define LARGE_BYTES  ((size_t)8192)
/* The reuse queue has this number of freed places before the oldest is used again
 * (guarded_place.c). */
#define REUSE_PLACES 1024

/* The levels below the guarded layer. */
struct stack {
    const char *name;
    const struct heap_policy *policy;
    bool debug; /* with the layer of heap_debug.h in between */
};

struct fixture {
    const struct stack *stack;
    struct heap_arena arena;
    struct heap *heap;
    struct random random;
};

static void *const CALLER = (void *)0x1111;
static void *const OTHER_CALLER = (void *)0x2222;

static inline struct heap_configuration configure(struct fixture *fixture, size_t window_bytes,
                                                  size_t large_bytes, uint64_t sample_interval)
{
    heap_arena_destroy(&fixture->arena);
    heap_arena_create(&fixture->arena, ARENA_BYTES);
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    configuration.policy = fixture->stack->policy;
    heap_arena_set_debug(&fixture->arena, &configuration, fixture->stack->debug);
    heap_arena_add_guarded(&fixture->arena, &configuration, window_bytes, large_bytes,
                           sample_interval);
    return configuration;
}

static inline struct heap *start(struct fixture *fixture, uint64_t sample_interval)
{
    const struct heap_configuration configuration =
        configure(fixture, WINDOW_BYTES, LARGE_BYTES, sample_interval);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
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
    return statistics;
}

static inline bool is_guarded(const struct heap *heap, const void *block)
{
    const struct guarded *guarded = guarded_of(heap);
    return guarded != NULL && (uintptr_t)block - guarded->base < guarded->window_bytes;
}

static inline uint8_t *allocate(struct heap *heap, size_t size_bytes)
{
    uint8_t *block = heap_allocate(heap, size_bytes, CALLER);
    assert_non_null(block);
    return block;
}

static inline uint8_t *allocate_guarded(struct heap *heap, size_t size_bytes)
{
    uint8_t *block = allocate(heap, size_bytes);
    assert_true(is_guarded(heap, block));
    return block;
}

static inline uint8_t *page_of(const uint8_t *address)
{
    return (uint8_t *)((uintptr_t)address & ~(uintptr_t)(PAGE_BYTES - 1));
}

static inline uint8_t *pages_end(const uint8_t *block, size_t size_bytes)
{
    return page_of(block + (size_bytes == 0 ? 1 : size_bytes) + PAGE_BYTES - 1);
}

/* Check that only its own pages can be accessed, and that the block lies at their end. */
static inline void assert_guarded(const struct fixture *fixture, const uint8_t *block,
                                  size_t size_bytes, size_t alignment_bytes)
{
    const uint8_t *start = page_of(block), *end = pages_end(block, size_bytes);
    size_t most_behind = alignment_bytes < PAGE_BYTES ? alignment_bytes : PAGE_BYTES;
    assert_int_equal((uintptr_t)block % alignment_bytes, 0);
    assert_true((size_t)(end - (block + size_bytes)) < most_behind + (size_bytes == 0));
    assert_true(heap_arena_is_usable(&fixture->arena, start, (size_t)(end - start)));
    assert_true(heap_arena_is_guarded(&fixture->arena, start - PAGE_BYTES, PAGE_BYTES));
    assert_true(heap_arena_is_guarded(&fixture->arena, end, PAGE_BYTES));
    assert_true(__asan_address_is_poisoned(start - 1) && __asan_address_is_poisoned(end));
}

static inline void assert_fault(struct fixture *fixture, enum heap_fault_kind kind,
                                const char *detail, const void *pointer, const void *block,
                                size_t size_bytes)
{
    const struct heap_fault *fault = &fixture->arena.fault;
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_string_equal(heap_fault_kind_name(fault->kind), heap_fault_kind_name(kind));
    assert_string_equal(fault->detail, detail);
    assert_ptr_equal(fault->pointer, pointer);
    assert_ptr_equal(fault->block, block);
    assert_int_equal(fault->size_bytes, size_bytes);
    assert_ptr_equal(fault->caller, OTHER_CALLER);
    assert_ptr_equal(fault->allocated_by, block == NULL ? NULL : CALLER);
    fixture->arena.fault_count = 0;
}

static inline uint32_t next_random(void *context)
{
    return (uint32_t)(random_next(context) >> 16);
}

/* --- Running ---------------------------------------------------------------------------------- */

struct guarded_test {
    const char *name;
    CMUnitTestFunction run;
    bool is_of_bump; /* only over the bump policy, which has no such blocks; else over all others */
};

#define TEST(function)                                                                             \
    {                                                                                              \
        .name = #function, .run = function                                                         \
    }
#define TEST_OF_BUMP(function)                                                                     \
    {                                                                                              \
        .name = #function, .run = function, .is_of_bump = true                                     \
    }

/* What main() returns. */
int guarded_test_run(const char *group, const struct guarded_test *tests, size_t count);

#endif
