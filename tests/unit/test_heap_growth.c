/* The heap's end, and merging: catalogue K11 to K13, for each policy. */
#include "tests/unit/support/heap_oracle.h"
#include "tests/unit/support/heap_policy_test.h"

/* --- K11, K12: growth ------------------------------------------------------------------------- */

/* Each call of the page source fails once, for every n, under a random load. */
static void test_K11_nth_growth_fails(void **state)
{
    struct fixture *fixture = *state;
    static struct heap_oracle oracle;
    for (unsigned n = 1; n < 40; n++) {
        fixture->arena.failing_grow = 0;
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        fixture->arena.failing_grow = fixture->arena.grow_count + n;
        fixture->random.state = n;
        heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
        for (unsigned step = 0; step < 600; step++) {
            assert_no_problem(heap_oracle_step(&oracle));
            if (step % 20 == 0)
                assert_no_problem(heap_oracle_check(&oracle));
        }
        assert_no_problem(heap_oracle_end(&oracle));
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* There is no memory for the usual step, but enough for the request. */
static void test_K11_growth_uses_the_memory_that_is_left(void **state)
{
    struct fixture *fixture = *state;
    const size_t budget_bytes = 19 * HEAP_PAGE_SIZE_BYTES;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    fixture->arena.budget_bytes = budget_bytes;
    while (heap_allocate(heap, 1000, CALLER) != NULL)
        continue;
    assert_int_equal(heap_size_bytes(heap), budget_bytes);
    assert_int_equal(statistics_of(heap).failure_count, 1);
    assert_sound(heap);
}

/* A growth for a request that fails anyway would take memory from other users. */
static void test_K12_a_request_that_cannot_fit_grows_nothing(void **state)
{
    struct heap *heap = start_growing(*state, MIB);
    (void)allocate(heap, 200000);
    size_t size_bytes = heap_size_bytes(heap);
    assert_null(heap_allocate(heap, MIB - 100000, CALLER));
    assert_int_equal(heap_size_bytes(heap), size_bytes);
    assert_sound(heap);
}

/* The last step of growth ends at the limit. */
static void test_K12_no_request_goes_beyond_the_limit(void **state)
{
    struct fixture *fixture = *state;
    const size_t limit_bytes = 21 * HEAP_PAGE_SIZE_BYTES;
    struct heap *heap = start_growing(fixture, limit_bytes);
    while (heap_allocate(heap, 1000, CALLER) != NULL)
        assert_true(fixture->arena.usable_bytes <= limit_bytes);
    assert_int_equal(heap_size_bytes(heap), limit_bytes);
    assert_int_equal(fixture->arena.usable_bytes, limit_bytes);
    assert_sound(heap);
}

/* The layer of heap_debug.h adds this much to each block. */
#define LAYER_BYTES ((size_t)88)

/* Return what the fast policy may lose with each block apart from headers. A slot for 1 to 16 KiB has
 * the length of the next eighth of a power of two, and 16 bytes. Such slots have at most half of the
 * heap: when less is left, blocks have only the length that they need. */
static size_t slot_loss_bytes(const struct fixture *fixture, size_t size_bytes)
{
    size_t block_bytes = size_bytes + (fixture->debug ? LAYER_BYTES : 0);
    size_t power = 1024;
    if (fixture->policy != &heap_policy_fast || block_bytes <= power || block_bytes > 16 * power)
        return 0;
    while (2 * power < block_bytes)
        power *= 2;
    return (power / 8 - 1 - (block_bytes - 1) % (power / 8) + 16) / 2;
}

static void test_K12_window_full(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_growing(fixture, 2 * MIB);
        static void *blocks[MIB];
        size_t count = 0;
        while ((blocks[count] = heap_allocate(heap, SIZES[s], CALLER)) != NULL)
            count++;
        assert_int_equal(heap_size_bytes(heap), 2 * MIB);
        size_t overhead_bytes = fixture->debug ? 56 + LAYER_BYTES : 56;
        overhead_bytes += slot_loss_bytes(fixture, SIZES[s]);
        assert_true(count >= 2 * MIB / (SIZES[s] + overhead_bytes) - 8);
        assert_null(heap_allocate(heap, SIZES[s], CALLER));
        assert_sound(heap);
        size_t second = count;
        while (second > count / 2)
            heap_free(heap, blocks[--second], CALLER);
        while ((blocks[second] = heap_allocate(heap, SIZES[s], CALLER)) != NULL)
            second++;
        assert_true(second >= count - count / 20);
        while (second > 0)
            heap_free(heap, blocks[--second], CALLER);
        heap_trim(heap);
        assert_sound(heap);
        assert_int_equal(statistics_of(heap).free_block_count, 1);
        assert_true(heap_size_bytes(heap) <= MIB / 4);
    }
}

static void test_free_tail_goes_back(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    void *small = allocate(heap, 100);
    void *large = allocate(heap, 6000000);
    memset(large, 0xee, 6000000);
    heap_free(heap, large, CALLER);
    assert_true(fixture->arena.usable_bytes <= MIB / 4);
    assert_int_equal(heap_size_bytes(heap), fixture->arena.usable_bytes);
    assert_sound(heap);

    /* With the layer, so many blocks are in the quarantine that the next one releases the
     * oldest. */
    for (unsigned i = 0; fixture->debug && i < 400; i++)
        heap_free(heap, allocate(heap, 8192), CALLER);
    /* The heap must not shrink and grow in turns because of the memory that is left. */
    unsigned calls = fixture->arena.grow_count + fixture->arena.shrink_count;
    for (unsigned i = 0; i < 100; i++)
        heap_free(heap, allocate(heap, 8192), CALLER);
    assert_int_equal(fixture->arena.grow_count + fixture->arena.shrink_count, calls);
    heap_free(heap, small, CALLER);
}

/* This is also true between live blocks, and does not change their bytes or the heap's data. */
static void test_trimming_discards_free_pages(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t *blocks[400];
    for (size_t size_bytes = 100; size_bytes <= 20000; size_bytes = size_bytes * 3 / 2 + 7) {
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        if (heap_frees_newest_only(heap))
            return;
        for (unsigned i = 0; i < 400; i++)
            blocks[i] = memset(allocate(heap, size_bytes), (int)i, size_bytes);
        /* One in eight stays, and the last. */
        size_t freed_bytes = 0;
        fixture->arena.discarded_bytes = 0;
        for (unsigned i = 0; i < 399; i++) {
            if (i % 8 == 0)
                continue;
            heap_free(heap, blocks[i], CALLER);
            blocks[i] = NULL;
            freed_bytes += size_bytes;
        }
        heap_trim(heap);
        assert_int_equal(fixture->arena.fault_count, 0);
        if (size_bytes > 4096)
            assert_true(fixture->arena.discarded_bytes > freed_bytes / 2);
        assert_true(fixture->arena.discarded_bytes <= heap_size_bytes(heap));
        assert_sound(heap);
        for (unsigned i = 0; i < 400; i++) {
            for (size_t k = 0; blocks[i] != NULL && k < size_bytes; k++)
                assert_int_equal(blocks[i][k], (uint8_t)i);
        }
        for (unsigned i = 0; i < 400; i++) {
            if (blocks[i] == NULL)
                blocks[i] = allocate(heap, size_bytes);
        }
        for (unsigned i = 0; i < 400; i++)
            heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
    }
}

/* For every start and end of free memory in its pages, the policy's data there stays. */
static void test_trimming_leaves_links_and_footers(void **state)
{
    struct fixture *fixture = *state;
    for (size_t offset = 0; offset < HEAP_PAGE_SIZE_BYTES; offset += 16) {
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        if (heap_frees_newest_only(heap))
            return;
        (void)allocate(heap, offset + 2000);
        void *first = allocate(heap, 12000);
        (void)allocate(heap, 2000);
        void *second = allocate(heap, 12000 + offset);
        void *last = allocate(heap, 2000);
        heap_free(heap, first, CALLER);
        heap_free(heap, second, CALLER);
        fixture->arena.discarded_bytes = 0;
        heap_trim(heap);
        assert_true(fixture->arena.discarded_bytes >= 4 * HEAP_PAGE_SIZE_BYTES);
        assert_sound(heap);
        (void)allocate(heap, 12000);
        heap_free(heap, last, CALLER);
        assert_sound(heap);
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* --- K13: merging ----------------------------------------------------------------------------- */

/* Every third block of a full heap is freed. The same number of blocks of that size can be
 * allocated again, and hardly more. */
static void test_K13_freed_blocks_serve_their_size_again(void **state)
{
    struct fixture *fixture = *state;
    static void *blocks[MIB / 16];
    for (size_t s = 0; s < SIZE_COUNT; s += 2) {
        struct heap *heap = start_fixed(fixture, MIB);
        if (heap_frees_newest_only(heap))
            return;
        size_t block_count = 0;
        size_t freed_count = 0;
        while ((blocks[block_count] = heap_allocate(heap, SIZES[s], CALLER)) != NULL)
            block_count++;
        for (size_t i = block_count / 3 * 3; i > 0; i -= 3, freed_count++)
            heap_free(heap, blocks[i - 1], CALLER);
        for (size_t i = 0; i < freed_count; i++)
            (void)allocate(heap, SIZES[s]);
        /* Rests that were too small for a block may have merged. */
        size_t more_count = 0;
        while (heap_allocate(heap, SIZES[s], CALLER) != NULL)
            more_count++;
        assert_true(more_count <= block_count / 1000);
        assert_sound(heap);
    }
}

static void test_K13_checkerboard_merges(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        if (heap_frees_newest_only(heap))
            return;
        struct heap_statistics original = statistics_of(heap);
        void *blocks[1000];
        for (unsigned i = 0; i < 1000; i++)
            blocks[i] = allocate(heap, SIZES[s]);
        for (unsigned i = 0; i < 1000; i += 2)
            heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
        for (unsigned i = 1; i < 1000; i += 2)
            heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
        /* All of it serves a single request, without a call to merge. */
        void *all = allocate(heap, original.largest_free_bytes);
        assert_sound(heap);
        heap_free(heap, all, CALLER);
        struct heap_statistics after = statistics_of(heap);
        assert_int_equal(after.free_block_count, 1);
        assert_int_equal(after.largest_free_bytes, original.largest_free_bytes);
    }
}

/* Check the exact meaning of "the largest request that succeeds without growing". */
static void test_largest_free_block_can_be_had(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seed = 1; seed < 40; seed++) {
        static struct heap_oracle oracle;
        struct heap *heap = start_fixed(fixture, MIB);
        fixture->random.state = seed;
        heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
        for (unsigned step = 0; step < 300; step++)
            assert_no_problem(heap_oracle_step(&oracle));
        /* The quarantine counts as overhead, but it is used before a request fails. */
        if (fixture->debug)
            heap_trim(heap);
        size_t largest_bytes = statistics_of(heap).largest_free_bytes;
        assert_null(heap_allocate(heap, largest_bytes + 1, CALLER));
        void *block = allocate(heap, largest_bytes);
        heap_free(heap, block, CALLER);
        assert_sound(heap);
    }
}

/* Allocate blocks of all sizes until no request succeeds. Then free some of them. */
static void free_some_of_full(struct fixture *fixture, struct heap *heap)
{
    static void *blocks[MIB / 16];
    size_t count = 0;
    size_t most_bytes = (size_t)1 << (3 + random_below(&fixture->random, 12));
    while ((blocks[count] =
                heap_allocate(heap, random_below(&fixture->random, most_bytes), CALLER)) != NULL)
        count++;
    fill(heap);
    size_t one_in = 1 + random_below(&fixture->random, 10);
    for (size_t i = count; i > 0; i--) {
        if (heap_frees_newest_only(heap) ? false : random_below(&fixture->random, one_in) == 0)
            heap_free(heap, blocks[i - 1], CALLER);
    }
}

/* The same in heaps that are nearly full, where the free memory may be slots. The largest request
 * succeeds without growing. A request for one more byte does not, and every smaller one does. */
static void test_the_largest_request_is_exact(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seed = 1; seed < 60; seed++) {
        struct heap_configuration configuration = heap_arena_growing(&fixture->arena, MIB);
        configuration.pages.shrink = NULL;
        struct heap *heap = start(fixture, configuration);
        fixture->random.state = seed;
        free_some_of_full(fixture, heap);
        if (fixture->debug)
            heap_trim(heap);
        fixture->arena.budget_bytes = fixture->arena.usable_bytes;
        size_t largest_bytes = statistics_of(heap).largest_free_bytes;
        assert_null(heap_allocate(heap, largest_bytes + 1, CALLER));
        fixture->arena.budget_bytes = ARENA_BYTES;
        size_t heap_bytes = heap_size_bytes(heap);
        void *block = heap_allocate(heap, largest_bytes, CALLER);
        assert_true(block != NULL || largest_bytes == 0);
        assert_int_equal(heap_size_bytes(heap), heap_bytes);
        heap_free(heap, block, CALLER);
        fixture->arena.budget_bytes = fixture->arena.usable_bytes;
        size_t smaller_bytes = random_below(&fixture->random, largest_bytes + 1);
        if (block != NULL && (!fixture->debug || heap_frees_newest_only(heap)))
            heap_free(heap, allocate(heap, smaller_bytes), CALLER);
        fixture->arena.budget_bytes = ARENA_BYTES;
        assert_sound(heap);
    }
}

/* Only free blocks of similar sizes, which a policy may keep on one list. The block that fits is
 * not the first on the list. */
static void test_the_one_that_fits_is_found(void **state)
{
    const size_t fitting_bytes = 17000;
    for (size_t smaller_count = 1; smaller_count <= 20; smaller_count++) {
        struct heap *heap = start_fixed(*state, MIB);
        if (heap_frees_newest_only(heap))
            return;
        void *fitting = allocate(heap, fitting_bytes);
        void *smaller[20];
        for (size_t i = 0; i < smaller_count; i++) {
            (void)allocate(heap, 18000);
            smaller[i] = allocate(heap, 16904 + i % 5 * 16);
        }
        (void)allocate(heap, statistics_of(heap).largest_free_bytes);
        heap_free(heap, fitting, CALLER);
        for (size_t i = 0; i < smaller_count; i++)
            heap_free(heap, smaller[i], CALLER);
        assert_ptr_equal(allocate(heap, fitting_bytes), fitting);
        assert_sound(heap);
    }
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_K11_nth_growth_fails),
    TEST(test_K11_growth_uses_the_memory_that_is_left),
    TEST(test_K12_a_request_that_cannot_fit_grows_nothing),
    TEST(test_K12_no_request_goes_beyond_the_limit),
    TEST(test_K12_window_full),
    TEST(test_free_tail_goes_back),
    TEST(test_trimming_discards_free_pages),
    TEST(test_trimming_leaves_links_and_footers),
    TEST_OF_POLICY(test_K13_freed_blocks_serve_their_size_again),
    TEST(test_K13_checkerboard_merges),
    TEST(test_largest_free_block_can_be_had),
    TEST(test_the_largest_request_is_exact),
    TEST(test_the_one_that_fits_is_found),
};

int main(void)
{
    return heap_policy_test_run("heap growth", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
