/* The live blocks, by call site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/mm/heap/include/handoff/heap_leaks.h"
#include "tests/unit/support/heap_arena.h"

#define HEAP_BYTES ((size_t)64 << 10)

static struct heap_arena arena;
static struct heap *heap;

static void start(const struct heap_policy *policy)
{
    struct heap_configuration configuration = heap_arena_fixed(&arena, HEAP_BYTES);
    configuration.policy = policy;
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
}

static const void *site_number(size_t number)
{
    return (const void *)(uintptr_t)(0x1000 + number);
}

static void *take(size_t size_bytes, size_t site)
{
    void *block = heap_allocate(heap, size_bytes, site_number(site));
    assert_non_null(block);
    return block;
}

static void assert_site(const struct heap_leak_site *site, const void *allocated_by,
                        size_t block_count, size_t used_bytes)
{
    assert_ptr_equal(site->allocated_by, allocated_by);
    assert_int_equal(site->block_count, block_count);
    assert_int_equal(site->used_bytes, used_bytes);
}

static void test_blocks_are_counted_by_their_call_site(void **state)
{
    (void)state;
    start(&heap_policy_best_fit);
    struct heap_leaks leaks;
    heap_leaks_find(heap, &leaks);
    assert_int_equal(leaks.site_count, 0);

    (void)take(100, 1);
    void *freed = take(5000, 2);
    (void)take(33, 3);
    (void)take(7, 1);
    heap_free(heap, freed, NULL);
    heap_leaks_find(heap, &leaks);
    assert_int_equal(leaks.site_count, 2);
    /* The last block lies where the freed one was. */
    assert_site(&leaks.sites[0], site_number(1), 2, 107);
    assert_site(&leaks.sites[1], site_number(3), 1, 33);
    assert_site(&leaks.others, NULL, 0, 0);
}

static void test_more_sites_than_there_is_room_for(void **state)
{
    (void)state;
    start(&heap_policy_best_fit);
    for (size_t i = 0; i < HEAP_LEAK_SITE_LIMIT + 3; i++)
        (void)take(10, i);
    struct heap_leaks leaks;
    heap_leaks_find(heap, &leaks);
    assert_int_equal(leaks.site_count, HEAP_LEAK_SITE_LIMIT);
    assert_site(&leaks.others, NULL, 3, 30);
}

static void test_policies_that_record_no_caller(void **state)
{
    (void)state;
    static const struct heap_policy *const policies[] = {&heap_policy_bump, &heap_policy_first_fit,
                                                         &heap_policy_fast};
    for (size_t i = 0; i < 3; i++) {
        start(policies[i]);
        (void)take(100, 1);
        (void)take(20, 2);
        struct heap_leaks leaks;
        heap_leaks_find(heap, &leaks);
        assert_int_equal(leaks.site_count, 1);
        assert_site(&leaks.sites[0], NULL, 2, 120);
    }
}

static int create(void **state)
{
    (void)state;
    heap_arena_create(&arena, HEAP_BYTES);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    heap_arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_counted_by_their_call_site),
        cmocka_unit_test(test_more_sites_than_there_is_room_for),
        cmocka_unit_test(test_policies_that_record_no_caller),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
