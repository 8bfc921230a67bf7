/* Unusual requests, and zeroed blocks: catalogue K1 to K3, K14 and K19, for each policy. */
#include <sanitizer/asan_interface.h>

#include "kernel/mm/heap/policy.h"
#include "tests/unit/support/heap_policy_test.h"

static void test_K1_size_zero_gives_a_block_of_its_own(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    void *first = allocate(heap, 0);
    void *second = allocate(heap, 0);
    assert_ptr_not_equal(first, second);
    assert_int_equal(heap_usable_size(heap, first, CALLER), 0);
    heap_free(heap, second, CALLER);
    heap_free(heap, first, CALLER);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

/* A bug of another heap: the header was added to the size before the check, and the sum wrapped. */
static void test_K2_sizes_that_wrap_are_refused(void **state)
{
    struct heap *heap = start_growing(*state, ARENA_BYTES);
    uint8_t *block = allocate(heap, 40);
    memset(block, 0x77, 40);
    for (size_t below = 0; below <= 64; below++) {
        size_t size_bytes = SIZE_MAX - below;
        assert_null(heap_allocate(heap, size_bytes, CALLER));
        assert_null(heap_allocate(heap, size_bytes / 2, CALLER));
        assert_null(heap_allocate_zeroed(heap, 1, size_bytes, CALLER));
        assert_null(heap_allocate_aligned(heap, size_bytes, 4096, CALLER));
        assert_null(heap_allocate_aligned(heap, 16, (SIZE_MAX >> 1) + 1, CALLER));
        assert_null(heap_allocate_aligned(heap, size_bytes, (SIZE_MAX >> 1) + 1, CALLER));
        assert_null(heap_reallocate(heap, block, size_bytes, CALLER));
        assert_int_equal(statistics_of(heap).failure_count, (below + 1) * 7);
    }
    assert_sound(heap);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(block[i], 0x77);
}

static void test_K3_free_of_null_is_ignored(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    heap_free(heap, NULL, CALLER);
    assert_int_equal(heap_usable_size(heap, NULL, CALLER), 0);
    assert_int_equal(fixture->arena.fault_count, 0);
    assert_int_equal(statistics_of(heap).free_count, 0);
}

static void test_K14_zeroed_product_that_wraps_is_refused(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    assert_null(heap_allocate_zeroed(heap, SIZE_MAX, 2, CALLER));
    assert_null(heap_allocate_zeroed(heap, 2, SIZE_MAX, CALLER));
    assert_null(heap_allocate_zeroed(heap, (size_t)1 << 32, ((size_t)1 << 32) + 1, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 3);
    assert_non_null(heap_allocate_zeroed(heap, 0, SIZE_MAX, CALLER));
    assert_non_null(heap_allocate_zeroed(heap, SIZE_MAX, 0, CALLER));
    assert_sound(heap);
}

static void test_K19_zeroing_leaves_no_stale_byte(void **state)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(*state, 8 * MIB);
        for (unsigned round = 0; round < 100; round++) {
            void *dirty = allocate(heap, SIZES[s]);
            memset(dirty, 0xcd, SIZES[s]);
            heap_free(heap, dirty, CALLER);
            uint8_t *block = heap_allocate_zeroed(heap, 1, SIZES[s], CALLER);
            assert_non_null(block);
            for (size_t i = 0; i < SIZES[s]; i++)
                assert_int_equal(block[i], 0);
        }
        assert_sound(heap);
    }
}

/* Request zeros, or do another operation. Return false if a byte was not zero. */
static bool step_of_zeros(struct heap *heap, struct random *random, uint8_t **blocks, size_t *sizes,
                          size_t count)
{
    size_t i = random_below(random, count);
    bool is_large = random_below(random, 4) == 0;
    size_t size_bytes = random_below(random, is_large ? MIB : 3000);
    if (blocks[i] != NULL && random_below(random, 5) == 0) {
        uint8_t *moved = heap_reallocate(heap, blocks[i], size_bytes + 1, CALLER);
        blocks[i] = moved == NULL ? blocks[i] : moved;
        sizes[i] = moved == NULL ? sizes[i] : size_bytes + 1;
    } else if (blocks[i] != NULL) {
        heap_free(heap, blocks[i], CALLER);
        blocks[i] = NULL;
        return true;
    } else {
        sizes[i] = size_bytes;
        blocks[i] = heap_allocate_zeroed(heap, 1, size_bytes, CALLER);
        for (size_t at = 0; blocks[i] != NULL && at < size_bytes; at++) {
            if (blocks[i][at] != 0)
                return false;
        }
    }
    if (blocks[i] != NULL)
        memset(blocks[i], 0xcd, sizes[i]);
    return true;
}

/* The heap gives memory back and gets it again, as zeros or with its old content. */
static void test_K19_zeros_after_growing_and_shrinking(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seed = 1; seed < 8; seed++) {
        struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
        heap_arena_track_fresh(&fixture->arena, &configuration,
                               seed * UINT64_C(0x9e3779b97f4a7c15));
        struct heap *heap = start(fixture, configuration);
        bool newest_only = heap_frees_newest_only(heap);
        uint8_t *blocks[24] = {0};
        size_t sizes[24];
        fixture->random.state = seed;
        for (unsigned step = 0; step < 600; step++) {
            /* With one place its block is always the newest. */
            size_t count = newest_only ? 1 : random_below(&fixture->random, 23) + 1;
            if (!step_of_zeros(heap, &fixture->random, blocks, sizes, count))
                fail_msg("seed %u, step %u: a byte is not zero", (unsigned)seed, step);
            if (step % 50 == 0)
                heap_trim(heap);
        }
        assert_true(fixture->arena.shrink_count != 0);
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_sound(heap);
    }
}

/* A request may take memory for records of the policy, give it back because there is too little,
 * and then be given the same memory as a block. `left_bytes` are free at the heap's end before. */
static void assert_zeros_where_little_is_left(struct fixture *fixture, size_t left_bytes)
{
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, 4 * MIB);
    struct heap_statistics statistics;
    heap_arena_track_fresh(&fixture->arena, &configuration, 0);
    struct heap *heap = start(fixture, configuration);
    (void)allocate(heap, 200);
    heap_statistics(heap, &statistics);
    (void)allocate(heap, statistics.largest_free_bytes - left_bytes);
    for (unsigned n = 0; n < 20; n++) {
        uint8_t *block = heap_allocate_zeroed(heap, 1, 200, CALLER);
        assert_non_null(block);
        for (size_t at = 0; at < 200; at++) {
            if (block[at] != 0)
                fail_msg("%zu bytes left, block %u: a byte is not zero", left_bytes, n);
        }
        memset(block, 0xcd, 200);
    }
    assert_sound(heap);
}

static void test_K19_zeros_in_place_of_freed_records(void **state)
{
    for (size_t left_bytes = 4096; left_bytes < 12288; left_bytes += 240)
        assert_zeros_where_little_is_left(*state, left_bytes);
}

struct free_pieces {
    size_t least_bytes;
    size_t count; /* of at least that size */
    size_t total_bytes;
    uintptr_t place_sum;
    size_t other_count;
};

static void count_free_piece(void *context, const struct heap_piece *piece)
{
    struct free_pieces *pieces = context;
    if (piece->kind != HEAP_PIECE_FREE || piece->extent_bytes < pieces->least_bytes) {
        pieces->other_count++;
        return;
    }
    pieces->count++;
    pieces->total_bytes += piece->extent_bytes;
    pieces->place_sum += (uintptr_t)piece->start;
}

/* Free pieces are found without reading live blocks. */
static void test_free_pieces_are_found_without_a_walk(void **state)
{
    struct fixture *fixture = *state;
    static void *blocks[3000];
    if (fixture->policy->functions->walk_free == NULL)
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    for (size_t i = 0; i < 3000; i++)
        blocks[i] = heap_allocate(heap, random_below(&fixture->random, 6000), CALLER);
    for (unsigned round = 0; round < 8; round++) {
        for (size_t i = round; i < 3000; i += 8) {
            heap_free(heap, blocks[i], CALLER);
            blocks[i] = NULL;
        }
        struct free_pieces walked = {.least_bytes = round < 4 ? 4352 : 9000};
        struct free_pieces found = {.least_bytes = walked.least_bytes};
        fixture->policy->functions->walk(heap, count_free_piece, &walked);
        fixture->policy->functions->walk_free(heap, found.least_bytes, count_free_piece, &found);
        assert_int_equal(found.count, walked.count);
        assert_int_equal(found.total_bytes, walked.total_bytes);
        assert_int_equal(found.place_sum, walked.place_sum);
        assert_true(found.other_count <= walked.count + 16); /* of the first bin */
    }
    assert_sound(heap);
}

/* Memory that is known to be zero is not written. The page source reports pages as zero that are
 * not, so the test sees it. */
static void test_zeroing_does_not_write_to_fresh_pages(void **state)
{
    struct fixture *fixture = *state;
    const size_t size_bytes = 3 * MIB;
    for (unsigned growths = 0; growths < 2; growths++) {
        struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
        heap_arena_track_fresh(&fixture->arena, &configuration, 0);
        ASAN_UNPOISON_MEMORY_REGION(fixture->arena.base, ARENA_BYTES);
        memset(fixture->arena.base, 0x77, ARENA_BYTES);
        struct heap *heap = start(fixture, configuration);
        if (growths != 0)
            heap_free(heap, allocate(heap, 200000), CALLER);
        const uint8_t *block = heap_allocate_zeroed(heap, 1, size_bytes, CALLER);
        assert_non_null(block);
        size_t written_bytes = 0;
        for (size_t i = 0; i < size_bytes; i++)
            written_bytes += block[i] == 0;
        size_t edge_bytes = fixture->debug ? 2 * HEAP_DEBUG_EDGE_BYTES : 0;
        assert_true(written_bytes >= edge_bytes);
        assert_true(written_bytes <= edge_bytes + growths * 200000 + 1000);
        assert_sound(heap);
    }
}

/* A bug of another heap: the usable size was larger than the writable size. */
static void test_usable_size_is_the_requested_size(void **state)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(*state, 8 * MIB);
        for (unsigned i = 0; i < 2000 && i * SIZES[s] < 4 * MIB; i++) {
            uint8_t *block = allocate(heap, SIZES[s]);
            assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[s]);
            memset(block, 0xff, SIZES[s]);
        }
        assert_sound(heap);
    }
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_K1_size_zero_gives_a_block_of_its_own),
    TEST(test_K2_sizes_that_wrap_are_refused),
    TEST(test_K3_free_of_null_is_ignored),
    TEST(test_free_pieces_are_found_without_a_walk),
    TEST(test_K14_zeroed_product_that_wraps_is_refused),
    TEST(test_K19_zeroing_leaves_no_stale_byte),
    TEST(test_K19_zeros_after_growing_and_shrinking),
    TEST(test_K19_zeros_in_place_of_freed_records),
    TEST(test_zeroing_does_not_write_to_fresh_pages),
    TEST(test_usable_size_is_the_requested_size),
};

int main(void)
{
    return heap_policy_test_run("heap requests", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
