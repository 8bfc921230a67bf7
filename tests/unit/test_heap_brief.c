/* The figures of a heap for a panic: they are those of the walk, as long as the heap is intact, and
 * need no intact heap. */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "kernel/mm/heap/heap_brief.h"
#include "tests/unit/support/heap_arena.h"

#define HEAP_BYTES ((size_t)64 << 10)

static struct heap_arena arena;
static struct heap *heap;

static int start(void **state)
{
    (void)state;
    heap_arena_create(&arena, HEAP_BYTES);
    struct heap_configuration configuration = heap_arena_fixed(&arena, HEAP_BYTES);
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    heap_arena_destroy(&arena);
    return 0;
}

static void expect_used(size_t used_bytes, size_t peak_bytes, uint64_t frees, uint64_t failures)
{
    struct heap_brief brief = heap_brief(heap);
    assert_int_equal(brief.used_bytes, used_bytes);
    assert_int_equal(brief.peak_bytes, peak_bytes);
    assert_int_equal(brief.free_count, frees);
    assert_int_equal(brief.failure_count, failures);
    assert_int_equal(brief.size_bytes, HEAP_BYTES);
    assert_int_equal(brief.limit_bytes, HEAP_BYTES);
}

static void test_figures_follow_the_operations(void **state)
{
    (void)state;
    struct heap_statistics walked;
    expect_used(0, 0, 0, 0);
    void *block = heap_allocate(heap, 100, NULL);
    assert_non_null(heap_allocate(heap, 5000, NULL));
    expect_used(5100, 5100, 0, 0);
    heap_free(heap, block, NULL);
    assert_null(heap_allocate(heap, 2 * HEAP_BYTES, NULL));
    expect_used(5000, 5100, 1, 1);
    heap_statistics(heap, &walked);
    assert_int_equal(walked.used_bytes, 5000);
}

/* All of the heap's memory is written over. The figures stay. */
static void test_memory_of_the_heap_is_not_read(void **state)
{
    (void)state;
    assert_non_null(heap_allocate(heap, 300, NULL));
    memset(arena.base, 0xff, HEAP_BYTES);
    expect_used(300, 300, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_figures_follow_the_operations, start, end),
        cmocka_unit_test_setup_teardown(test_memory_of_the_heap_is_not_read, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
