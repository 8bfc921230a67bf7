/* Blocks between guard pages: addresses, re-allocation, a page source that fails, and random
 * operations. The tests run over each policy that may have them, with and without the layer of
 * heap_debug.h. Catalogue group K. */
#include "tests/unit/support/guarded_test.h"
#include "tests/unit/support/heap_oracle.h"

static const char BEHIND[] = "the bytes behind the block were overwritten";

/* --- Addresses -------------------------------------------------------------------------------- */

static void test_addresses_come_back_late(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_configuration configuration = configure(fixture, 512 * MIB, LARGE_BYTES, 0);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    uint8_t *blocks[REUSE_PLACES];
    for (unsigned i = 0; i < REUSE_PLACES; i++) {
        blocks[i] = allocate_guarded(heap, LARGE_BYTES);
        assert_true(i == 0 || blocks[i] > blocks[i - 1]);
        heap_free(heap, blocks[i], CALLER);
    }
    assert_sound(heap);
    /* The oldest is used first, and none before its time. */
    for (unsigned i = 0; i < REUSE_PLACES; i++) {
        uint8_t *again = allocate_guarded(heap, LARGE_BYTES);
        assert_ptr_equal(again, blocks[i]);
        heap_free(heap, again, CALLER);
    }
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).guarded_bytes % PAGE_BYTES, 0);
    assert_int_equal(statistics_of(heap).guarded_block_count, 0);
}

/* If the window is full, or too small for a block, the policy serves the request. */
static void test_policy_serves_blocks_without_a_place(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_configuration configuration =
        configure(fixture, GUARDED_WINDOW_MINIMUM_BYTES, LARGE_BYTES, 0);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    assert_false(is_guarded(heap, allocate(heap, 100000)));
    assert_int_equal(statistics_of(heap).unguarded_count, 1);
    uint8_t *blocks[4];
    for (unsigned i = 0; i < 4; i++)
        blocks[i] = allocate_guarded(heap, LARGE_BYTES);
    assert_false(is_guarded(heap, allocate(heap, LARGE_BYTES)));
    assert_int_equal(statistics_of(heap).unguarded_count, 2);
    heap_free(heap, blocks[2], CALLER);
    assert_ptr_equal(allocate_guarded(heap, LARGE_BYTES), blocks[2]);
    assert_sound(heap);
}

#define TIB_BYTES ((size_t)1 << 40)

static bool give_any(void *context, size_t offset_bytes, size_t bytes)
{
    (void)context;
    (void)offset_bytes;
    (void)bytes;
    return true;
}

static void take_any(void *context, size_t offset_bytes, size_t bytes)
{
    (void)context;
    (void)offset_bytes;
    (void)bytes;
}

/* The window is as large as the kernel's: no conversion from or to a place cuts a number. */
static void test_window_of_a_tebibyte(void **state)
{
    struct fixture *fixture = *state;
    struct heap_arena window;
    heap_arena_create(&window, TIB_BYTES);
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    configuration.policy = fixture->stack->policy;
    heap_arena_set_debug(&fixture->arena, &configuration, fixture->stack->debug);
    const struct guarded_configuration guarded = {.base = window.base,
                                                  .window_bytes = TIB_BYTES,
                                                  .large_bytes = 65536,
                                                  .pages = {NULL, give_any, take_any}};
    configuration.guarded = guarded_layer(&fixture->arena.guarded, &guarded);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    size_t largest = 0;
    for (size_t size = 131072; size < TIB_BYTES; size = size * 2) {
        for (unsigned i = 0; i < 3; i++) {
            uint8_t *block = heap_allocate(heap, size - PAGE_BYTES + i, CALLER);
            if (block == NULL)
                continue;
            largest = size;
            block[0] = 1;
            block[size - PAGE_BYTES + i - 1] = 1;
            assert_int_equal((uintptr_t)(block + size - PAGE_BYTES + i + 15) / 16 * 16 % PAGE_BYTES,
                             0);
            struct guarded_incident incident;
            assert_true(guarded_find_incident(heap, block, &incident));
            assert_ptr_equal(incident.block, block);
        }
    }
    assert_int_equal(largest, (size_t)8 << 30);
    assert_sound(heap);
    heap_arena_destroy(&window);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

static void assert_filled(const uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        assert_int_equal(block[i], (uint8_t)(i * 7));
}

static void fill(uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        block[i] = (uint8_t)(i * 7);
}

static void test_K15_every_pair_of_sizes(void **state)
{
    static const size_t SIZES[] = {0, 1, 50, 4096, 8191, 8192, 8193, 12288, 12289, 30000, 200000};
    struct fixture *fixture = *state;
    for (unsigned sampled = 0; sampled < 2; sampled++) {
        struct heap *heap = start(fixture, sampled);
        for (size_t i = 0; i < 11; i++) {
            for (size_t k = 1; k < 11; k++) {
                uint8_t *block = allocate(heap, SIZES[i]);
                fill(block, SIZES[i]);
                uint8_t *moved = heap_reallocate(heap, block, SIZES[k], CALLER);
                assert_non_null(moved);
                assert_filled(moved, SIZES[i] < SIZES[k] ? SIZES[i] : SIZES[k]);
                assert_int_equal(heap_usable_size(heap, moved, CALLER), SIZES[k]);
                if (SIZES[k] >= LARGE_BYTES)
                    assert_true(is_guarded(heap, moved));
                assert_sound(heap);
                heap_free(heap, moved, CALLER);
            }
        }
        assert_null(heap_reallocate(heap, allocate(heap, 10000), 0, CALLER));
        assert_int_equal(statistics_of(heap).live_block_count, 0);
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* A block that shrinks cannot fail, gives pages back, and is guarded at its new end. */
static void test_K15_large_block_gets_smaller_in_place(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *block = allocate_guarded(heap, 100000);
    fill(block, 100000);
    fixture->arena.budget_bytes = 0;
    for (size_t size = 100000; size >= LARGE_BYTES; size -= 999) {
        assert_ptr_equal(heap_reallocate(heap, block, size, CALLER), block);
        const uint8_t *end = pages_end(block, size);
        assert_true(
            heap_arena_is_usable(&fixture->arena, page_of(block), (size_t)(end - page_of(block))));
        assert_true(heap_arena_is_guarded(&fixture->arena, end, 100000));
        assert_filled(block, size);
        assert_int_equal(statistics_of(heap).used_bytes, size);
        assert_sound(heap);
    }
    size_t size = heap_usable_size(heap, block, CALLER);
    block[size] ^= 0xff;
    heap_free(heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN, BEHIND, block, block, size);
}

/* Shrink to a size of the policy, which has no room. */
static void test_K15_getting_smaller_needs_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *block = heap_allocate_aligned(heap, 100000, 64, CALLER);
    assert_true(is_guarded(heap, block));
    fill(block, 100000);
    fixture->arena.budget_bytes = 0;
    while (heap_allocate(heap, 5000, CALLER) != NULL)
        ;
    uint64_t failure_count = statistics_of(heap).failure_count;
    for (size_t size = 5000; size > 0; size /= 10) {
        while (heap_allocate(heap, size, CALLER) != NULL)
            ;
        failure_count++;
        assert_ptr_equal(heap_reallocate(heap, block, size, CALLER), block);
        assert_true(
            heap_arena_is_guarded(&fixture->arena, pages_end(block, size), 100000 - PAGE_BYTES));
        assert_filled(block, size);
        assert_int_equal(heap_usable_size(heap, block, CALLER), size);
        assert_int_equal(statistics_of(heap).failure_count, failure_count);
        assert_sound(heap);
    }
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* Found by fuzz_heap_oracle. A large block that the policy serves, since there was no page for it,
 * stays unguarded when it gets smaller, and is guarded when it grows. */
static void test_K15_unguarded_block_gets_smaller(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    fixture->arena.failing_grow = fixture->arena.grow_count + 1;
    uint8_t *block = allocate(heap, 30000);
    assert_false(is_guarded(heap, block));
    fill(block, 30000);
    block = heap_reallocate(heap, block, 20000, CALLER);
    assert_false(is_guarded(heap, block));
    assert_filled(block, 20000);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 20000);
    uint8_t *moved = heap_reallocate(heap, block, 60000, CALLER);
    assert_true(is_guarded(heap, moved));
    assert_filled(moved, 20000);
    assert_int_equal(statistics_of(heap).unguarded_count, 1);
    assert_int_equal(statistics_of(heap).used_bytes, 60000);
    assert_sound(heap);
}

static void test_K15_failure_leaves_the_old_block(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *small = allocate(heap, 1000);
    uint8_t *large = allocate_guarded(heap, 20000);
    fill(small, 1000);
    fill(large, 20000);
    fixture->arena.budget_bytes = fixture->arena.usable_bytes + fixture->arena.guarded_usable_bytes;
    assert_null(heap_reallocate(heap, small, 2 * MIB, CALLER));
    assert_null(heap_reallocate(heap, large, 2 * MIB, CALLER));
    assert_filled(small, 1000);
    assert_filled(large, 20000);
    assert_int_equal(statistics_of(heap).failure_count, 2);
    assert_int_equal(statistics_of(heap).unguarded_count, 0);
    assert_sound(heap);
    heap_free(heap, small, CALLER);
    heap_free(heap, large, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* The free of the policy's block finds its neighbour overwritten, after the content has moved. */
static void test_K15_move_that_finds_a_fault_fails(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    /* The fast policy merges these at once: they are the first of their classes. */
    uint8_t *neighbour = allocate(heap, 600);
    uint8_t *small = allocate(heap, 700);
    (void)allocate(heap, 800);
    heap_free(heap, neighbour, CALLER);
    memset(neighbour, 0x7e, 16);
    if (fixture->stack->debug) { /* while it waits, only its record is checked */
        memset(neighbour + 600, 0x7e, 32);
        assert_null(heap_reallocate(heap, small, 20000, CALLER));
        assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_WRITE_AFTER_FREE);
    } else {
        assert_null(heap_reallocate(heap, small, 20000, CALLER));
        assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_CORRUPT);
    }
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_null(heap_allocate(heap, 20000, CALLER));
}

/* --- The page source fails -------------------------------------------------------------------- */

/* Each call of the page source fails once. Then the policy serves the block, or the request fails.
 * No page is lost. */
static void test_K11_nth_call_of_the_page_source_fails(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned n = 1; n < 80; n++) {
        struct heap *heap = start(fixture, 3);
        fixture->arena.failing_grow = fixture->arena.grow_count + n;
        uint8_t *blocks[150];
        for (unsigned i = 0; i < 150; i++) {
            blocks[i] = heap_allocate(heap, i % 4 == 0 ? 9000 + i * 50 : i * 20, CALLER);
            assert_non_null(blocks[i]);
            assert_int_equal(guarded_of(heap)->usable_bytes, fixture->arena.guarded_usable_bytes);
            assert_sound(heap);
        }
        assert_in_range(statistics_of(heap).unguarded_count, 0, 1);
        for (unsigned i = 0; i < 150; i++)
            heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
        assert_int_equal(statistics_of(heap).guarded_bytes, fixture->arena.guarded_usable_bytes);
    }
}

/* A block gets all of its pages and its record, or nothing. */
static void test_K11_failed_block_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned failing = 1; failing <= 2; failing++) {
        struct heap *heap = start(fixture, 0);
        struct guarded before = *guarded_of(heap);
        before.unguarded_count++;
        fixture->arena.failing_grow = fixture->arena.grow_count + failing;
        uint8_t *block = allocate(heap, 10000);
        assert_false(is_guarded(heap, block));
        assert_memory_equal(&before, guarded_of(heap), sizeof before);
        assert_int_equal(fixture->arena.guarded_usable_bytes, 0);
        allocate_guarded(heap, 10000);
        assert_sound(heap);
    }
}

static void test_K12_until_there_is_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 2);
    fixture->arena.budget_bytes = MIB;
    void *blocks[3000];
    size_t count = 0;
    while ((blocks[count] = heap_allocate(heap, count * 37 % 12000, CALLER)) != NULL)
        count++;
    assert_int_equal(statistics_of(heap).failure_count, 1);
    assert_int_equal(statistics_of(heap).live_block_count, count);
    assert_sound(heap);
    while (count > 0)
        heap_free(heap, blocks[--count], CALLER);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).used_bytes, 0);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* --- Against the oracle ----------------------------------------------------------------------- */

struct oracle_run {
    size_t window_bytes;
    size_t large_bytes;
    uint64_t sample_interval;
    unsigned failing; /* the interval of failing calls of the page source; 0 for none */
    unsigned steps;
};

static void run_oracle(struct fixture *fixture, const struct oracle_run *run)
{
    static struct heap_oracle oracle;
    const struct heap_configuration configuration =
        configure(fixture, run->window_bytes, run->large_bytes, run->sample_interval);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    fixture->arena.failing_grow = run->failing;
    fixture->random.state = run->sample_interval + run->failing + 1;
    heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
    for (unsigned step = 0; step < run->steps; step++) {
        const char *problem = heap_oracle_step(&oracle);
        if (problem == NULL)
            problem = heap_oracle_check(&oracle);
        if (problem != NULL)
            fail_msg("step %u: %s", step, problem);
        if (run->failing != 0 && fixture->arena.grow_count >= fixture->arena.failing_grow)
            fixture->arena.failing_grow = fixture->arena.grow_count + run->failing;
        assert_int_equal(guarded_of(heap)->usable_bytes, fixture->arena.guarded_usable_bytes);
    }
    const char *problem = heap_oracle_end(&oracle);
    if (problem != NULL)
        fail_msg("end: %s", problem);
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_K17_random_operations_checked_after_every_step(void **state)
{
    static const struct oracle_run RUNS[] = {
        {WINDOW_BYTES, LARGE_BYTES, 0, 0, 1000},
        {WINDOW_BYTES, LARGE_BYTES, 1, 0, 1000},
        {WINDOW_BYTES, 100, 5, 0, 1000},
        {WINDOW_BYTES, SIZE_MAX, 3, 0, 1000},
        {WINDOW_BYTES, 0, 1, 0, 500},
    };
    for (size_t i = 0; i < sizeof RUNS / sizeof RUNS[0]; i++)
        run_oracle(*state, &RUNS[i]);
}

static void test_K11_K17_random_operations_with_failures(void **state)
{
    for (unsigned failing = 2; failing < 6; failing++)
        run_oracle(*state, &(struct oracle_run){WINDOW_BYTES, 4000, 2, failing, 500});
}

/* Most blocks that should be guarded are not guarded, and often change. */
static void test_K12_K17_random_operations_in_a_full_window(void **state)
{
    static const size_t LARGE[] = {0, 50, 4000};
    for (size_t i = 0; i < sizeof LARGE / sizeof LARGE[0]; i++)
        run_oracle(*state,
                   &(struct oracle_run){GUARDED_WINDOW_MINIMUM_BYTES, LARGE[i], 2, 0, 1000});
}

static const struct guarded_test TESTS[] = {
    TEST(test_addresses_come_back_late),
    TEST(test_policy_serves_blocks_without_a_place),
    TEST(test_window_of_a_tebibyte),
    TEST(test_K15_every_pair_of_sizes),
    TEST(test_K15_large_block_gets_smaller_in_place),
    TEST(test_K15_getting_smaller_needs_no_memory),
    TEST(test_K15_unguarded_block_gets_smaller),
    TEST(test_K15_failure_leaves_the_old_block),
    TEST(test_K15_move_that_finds_a_fault_fails),
    TEST(test_K11_nth_call_of_the_page_source_fails),
    TEST(test_K11_failed_block_changes_nothing),
    TEST(test_K12_until_there_is_no_memory),
    TEST(test_K17_random_operations_checked_after_every_step),
    TEST(test_K11_K17_random_operations_with_failures),
    TEST(test_K12_K17_random_operations_in_a_full_window),
};

int main(void)
{
    return guarded_test_run("memory of guarded blocks", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
