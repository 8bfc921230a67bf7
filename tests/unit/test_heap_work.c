/* The number of instructions of an operation of the fast policy depends neither on the heap's limit
 * nor on its size. Instructions are counted, not timed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/mm/heap/policies/fast.h"
#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/steps.h"

#define MIB         ((size_t)1 << 20)
#define GIB         ((size_t)1 << 30)
#define SMALL_LIMIT (16 * MIB)
#define LARGE_LIMIT (63 * GIB)

/* A heap with a large limit chooses larger slabs, which need a few more instructions. One more
 * instruction for each place of the map, or for each 512 KiB of the heap, would be a hundred times
 * as many. */
#define FACTOR 2
#define MARGIN 500

/* The count of a call stops here. */
#define STEPS_MAX 50000

static struct heap *heap;

static int create_arena(void **state)
{
    static struct heap_arena arena;
    heap_arena_create(&arena, LARGE_LIMIT);
    *state = &arena;
    return 0;
}

static int destroy_arena(void **state)
{
    heap_arena_destroy(*state);
    return 0;
}

static void start(struct heap_arena *arena, size_t limit_bytes)
{
    struct heap_configuration configuration = heap_arena_growing(arena, limit_bytes);
    configuration.policy = &heap_policy_fast;
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
    arena->fault_count = 0;
}

static void *allocate(size_t size_bytes)
{
    void *block = heap_allocate(heap, size_bytes, NULL);
    assert_non_null(block);
    return block;
}

/* Raise *worst to the number of instructions of the call. */
static void *count_allocate(size_t size_bytes, uint64_t *worst)
{
    steps_begin(STEPS_MAX);
    void *block = heap_allocate(heap, size_bytes, NULL);
    uint64_t steps = steps_end();
    *worst = steps > *worst ? steps : *worst;
    return block;
}

static void *count_reallocate(void *block, size_t size_bytes, uint64_t *worst)
{
    steps_begin(STEPS_MAX);
    block = heap_reallocate(heap, block, size_bytes, NULL);
    uint64_t steps = steps_end();
    *worst = steps > *worst ? steps : *worst;
    return block;
}

static void count_free(void *block, uint64_t *worst)
{
    steps_begin(STEPS_MAX);
    heap_free(heap, block, NULL);
    uint64_t steps = steps_end();
    *worst = steps > *worst ? steps : *worst;
}

/* --- Patterns: each is the worst single operation of one kind --------------------------------- */

/* The first slab makes the map. A large one makes the heap grow, when there is no other free
 * memory. */
static uint64_t first_slabs(size_t limit_bytes)
{
    uint64_t worst = 0;
    (void)limit_bytes;
    (void)allocate(60000);
    for (unsigned i = 0; i < 90; i++)
        assert_non_null(count_allocate(64, &worst));
    assert_non_null(fast_of(heap)->map_block);
    return worst;
}

/* A slab near the end of the heap, when the map reaches only the heap's start; then a slab
 * below. */
static uint64_t slabs_far_apart(size_t limit_bytes)
{
    uint64_t worst = 0;
    void *low = allocate(limit_bytes / 4);
    for (unsigned i = 0; i < 40; i++)
        (void)allocate(64);
    (void)allocate(limit_bytes / 2);
    for (unsigned i = 0; i < 4; i++)
        assert_non_null(count_allocate(1000, &worst));
    heap_free(heap, low, NULL);
    (void)allocate(fast_of(heap)->core.top_units * 16 - 64);
    for (unsigned i = 0; i < 4; i++)
        assert_non_null(count_allocate(500, &worst));
    return worst;
}

static uint64_t large_blocks_back_and_forth(size_t limit_bytes)
{
    static const size_t sizes[] = {100000, 140000, 5000000};
    uint64_t worst = 0;
    (void)limit_bytes;
    for (unsigned i = 0; i < 100; i++)
        (void)allocate(64);
    for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (unsigned i = 0; i < 2; i++)
            count_free(count_allocate(sizes[s], &worst), &worst);
    }
    return worst;
}

static uint64_t growth(size_t limit_bytes)
{
    uint64_t worst = 0;
    for (unsigned i = 0; i < 100; i++)
        (void)allocate(64);
    (void)allocate(limit_bytes / 2);
    for (unsigned i = 0; i < 4; i++)
        assert_non_null(count_allocate(50000, &worst));
    return worst;
}

/* A vector at the end of the heap: a copy of it would take an instruction for each few bytes. */
static uint64_t last_block_grows(size_t limit_bytes)
{
    uint64_t worst = 0;
    for (unsigned i = 0; i < 100; i++)
        (void)allocate(64);
    void *block = allocate(limit_bytes / 8);
    for (size_t size_bytes = limit_bytes / 8; size_bytes < limit_bytes / 2;
         size_bytes += size_bytes / 2)
        assert_ptr_equal(count_reallocate(block, size_bytes + size_bytes / 2, &worst), block);
    assert_null(count_reallocate(block, limit_bytes - 1000, &worst));
    return worst;
}

/* No slab is spare, and one is current and empty. */
static uint64_t requests_that_fail(size_t limit_bytes)
{
    uint64_t worst = 0;
    void *blocks[40];
    (void)allocate(2000);
    for (unsigned i = 0; i < 40; i++)
        blocks[i] = allocate(64);
    for (unsigned i = 0; i < 40; i++)
        heap_free(heap, blocks[i], NULL);
    for (unsigned i = 0; i < 2; i++)
        assert_null(count_allocate(limit_bytes - 1000, &worst));
    return worst;
}

/* The heap is nearly all free memory in blocks of one bin; the tail goes back. */
static uint64_t large_blocks_freed(size_t limit_bytes)
{
    uint64_t worst = 0;
    void *blocks[16];
    for (unsigned i = 0; i < 16; i++) {
        blocks[i] = allocate(limit_bytes / 20);
        (void)allocate(64);
    }
    for (unsigned i = 0; i < 12; i++)
        heap_free(heap, blocks[i], NULL);
    for (unsigned i = 12; i < 16; i++)
        count_free(blocks[i], &worst);
    return worst;
}

static void assert_flat(struct heap_arena *arena, uint64_t (*pattern)(size_t limit_bytes))
{
    start(arena, SMALL_LIMIT);
    uint64_t small = pattern(SMALL_LIMIT);
    start(arena, LARGE_LIMIT);
    uint64_t large = pattern(LARGE_LIMIT);
    assert_int_equal(arena->fault_count, 0);
    if (small < 20 || large > FACTOR * small + MARGIN)
        fail_msg("%llu instructions with a limit of 16 MiB, %llu with one of 63 GiB",
                 (unsigned long long)small, (unsigned long long)large);
}

static void test_first_slabs(void **state)
{
    assert_flat(*state, first_slabs);
}

static void test_slabs_far_apart(void **state)
{
    assert_flat(*state, slabs_far_apart);
}

/* The map grows towards a slab's pages by 32 MiB at a time. Until it reaches them, a request that
 * wants the slab gets a block of the core, and keeps neither pages nor a record. */
static void test_a_slab_beyond_the_map_leaves_nothing(void **state)
{
    start(*state, GIB);
    void *low = allocate(100 * MIB);
    for (unsigned i = 0; i < 50; i++)
        (void)allocate(900);
    const struct fast_state *fast = fast_of(heap);
    size_t length = fast->map_length;
    assert_true(length != 0);
    heap_free(heap, low, NULL);
    for (unsigned i = 0; i < 50; i++) {
        (void)allocate(500);
        assert_null(heap_check(heap));
    }
    assert_true(fast->map_length > length + 128);
}

static void test_large_blocks_back_and_forth(void **state)
{
    assert_flat(*state, large_blocks_back_and_forth);
}

static void test_growth(void **state)
{
    assert_flat(*state, growth);
}

static void test_last_block_grows(void **state)
{
    assert_flat(*state, last_block_grows);
}

static void test_requests_that_fail(void **state)
{
    assert_flat(*state, requests_that_fail);
}

static void test_large_blocks_freed(void **state)
{
    assert_flat(*state, large_blocks_freed);
}

/* The counting itself. */
static void test_steps_are_counted(void **state)
{
    (void)state;
    volatile unsigned sum = 0;
    steps_begin(STEPS_MAX);
    for (unsigned i = 0; i < 100; i++)
        sum += i;
    uint64_t steps = steps_end();
    assert_int_equal(sum, 100 * 99 / 2);
    assert_true(steps >= 300 && steps < 10000);
}

#define ON_ARENA(test) cmocka_unit_test_setup_teardown(test, create_arena, destroy_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_are_counted),
        ON_ARENA(test_first_slabs),
        ON_ARENA(test_slabs_far_apart),
        ON_ARENA(test_a_slab_beyond_the_map_leaves_nothing),
        ON_ARENA(test_large_blocks_back_and_forth),
        ON_ARENA(test_growth),
        ON_ARENA(test_last_block_grows),
        ON_ARENA(test_requests_that_fail),
        ON_ARENA(test_large_blocks_freed),
    };
    const char *filter = getenv("HEAP_TESTS");
    if (filter != NULL)
        cmocka_set_test_filter(filter);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
