/* Alignment, random operations with an oracle, minima, and the properties of single policies:
 * catalogue K16 to K18, for each policy. test_heap_best_fit.c tests the data of best-fit.
 * test_heap_debug.c tests the layer. */
#include "tests/unit/support/heap_episode.h"
#include "tests/unit/support/heap_oracle.h"
#include "tests/unit/support/heap_policy_test.h"

/* --- K16: alignment --------------------------------------------------------------------------- */

/* A bug of another heap: aligned blocks overlapped their neighbours. */
static void test_K16_alignments_are_exact_and_blocks_apart(void **state)
{
    struct heap *heap = start_fixed(*state, ARENA_BYTES);
    uint8_t *blocks[700];
    size_t sizes[700];
    size_t count = 0;
    for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
        for (size_t size_bytes = 0; size_bytes <= 4096; size_bytes = size_bytes * 3 + 1) {
            for (unsigned twice = 0; twice < 3; twice++) {
                uint8_t *block = twice == 2
                                     ? allocate(heap, size_bytes)
                                     : heap_allocate_aligned(heap, size_bytes, alignment, CALLER);
                assert_non_null(block);
                if (twice < 2)
                    assert_int_equal((uintptr_t)block % (alignment < 16 ? 16 : alignment), 0);
                memset(block, (int)(count & 0xff), size_bytes);
                sizes[count] = size_bytes;
                blocks[count++] = block;
            }
        }
        assert_sound(heap);
    }
    while (count-- > 0) {
        for (size_t i = 0; i < sizes[count]; i++)
            assert_int_equal(blocks[count][i], count & 0xff);
        heap_free(heap, blocks[count], CALLER);
    }
    heap_trim(heap);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
}

static void test_K16_alignments_that_are_none_are_refused(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    static const size_t alignments[] = {0, 3, 24, 48, 4095, SIZE_MAX};
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++)
        assert_null(heap_allocate_aligned(heap, 16, alignments[i], CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 6);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

/* --- K17: random operations against an oracle ------------------------------------------------- */

static void run_random(struct fixture *fixture, struct heap *heap, uint64_t seed, unsigned steps,
                       unsigned steps_per_check, size_t block_limit)
{
    static struct heap_oracle oracle;
    fixture->random.state = seed;
    heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
    oracle.block_limit = block_limit;
    for (unsigned step = 0; step < steps; step++) {
        assert_no_problem(heap_oracle_step(&oracle));
        if (step % steps_per_check == 0)
            assert_no_problem(heap_oracle_check(&oracle));
    }
    assert_no_problem(heap_oracle_end(&oracle));
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_K17_random_operations_checked_after_every_step(void **state)
{
    /* Each check also reads all blocks in the quarantine. */
    unsigned steps = ((struct fixture *)*state)->debug ? 600 : 2000;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        run_random(*state, start_growing(*state, ARENA_BYTES), seed, steps, 1, 400);
        run_random(*state, start_fixed(*state, 65536), seed + 10, steps, 1, 100);
        run_random(*state, start_fixed(*state, MIB), seed + 20, steps, 1, 512);
    }
}

static void with_debug(struct heap_configuration *configuration)
{
    static struct heap_debug_storage debug;
    configuration->debug = heap_debug_layer(&debug);
}

/* tests/long/heap_operations.c runs millions of operations. With the layer there are fewer, since
 * it is slower. */
static void test_K17_many_random_operations(void **state)
{
    const struct fixture *fixture = *state;
    struct heap_episode_counts counts = {0};
    unsigned operation_count = fixture->debug ? 10000 : 50000;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct heap_episode episode = {.policy = fixture->policy,
                                             .seed = seed,
                                             .operation_count = operation_count,
                                             .operations_per_check = 1000,
                                             .configure = fixture->debug ? with_debug : NULL};
        assert_no_problem(heap_episode_run(&episode, &counts));
    }
    assert_int_equal(counts.operations, 20 * operation_count);
    assert_true(counts.misuses > counts.operations / 100);
    assert_true(counts.failures > counts.operations / 100 && counts.growths > 50);
}

/* --- K18: minima ------------------------------------------------------------------------------ */

/* A bug of another heap: it accepted a region that was too small, and wrote beyond its end. The
 * arena is poisoned there. */
static void test_K18_small_heaps(void **state)
{
    struct fixture *fixture = *state;
    union heap_policies_storage untouched;
    memset(&untouched, 0x3c, sizeof untouched);
    bool refused = true;
    for (size_t size_bytes = 0; size_bytes <= 512; size_bytes += 16) {
        struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, size_bytes);
        configuration.policy = fixture->policy;
        memset(&fixture->arena.storage, 0x3c, sizeof untouched);
        enum heap_status status = heap_initialise(&configuration, &fixture->heap);
        if (status != HEAP_OK) {
            assert_int_equal(status, HEAP_TOO_SMALL);
            assert_true(refused);
            assert_memory_equal(&fixture->arena.storage, &untouched, sizeof untouched);
            continue;
        }
        refused = false;
        struct heap *heap = fixture->heap;
        void *block = heap_allocate(heap, 1, CALLER);
        while (heap_allocate(heap, 1, CALLER) != NULL)
            continue;
        assert_non_null(block);
        assert_sound(heap);
    }
    assert_false(refused);
}

/* A bug of another heap: two regions that touch were never merged. */
static void test_K18_extending_in_steps(void **state)
{
    struct fixture *fixture = *state;
    for (size_t step_bytes = 16; step_bytes <= 4096; step_bytes += 16 + step_bytes / 4 / 16 * 16) {
        struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, 4096);
        configuration.limit_bytes = 65536;
        struct heap *heap = start(fixture, configuration);
        heap_arena_set_usable(&fixture->arena, 65536);
        assert_int_equal(heap_extend(heap, 0), HEAP_TOO_SMALL);
        assert_int_equal(heap_extend(heap, 100), HEAP_UNALIGNED);
        assert_int_equal(heap_extend(heap, 65536), HEAP_TOO_LARGE);
        void *first = allocate(heap, 1000);
        while (heap_size_bytes(heap) + step_bytes <= 65536) {
            enum heap_status status = heap_extend(heap, step_bytes);
            if (status == HEAP_TOO_SMALL)
                break;
            assert_int_equal(status, HEAP_OK);
            assert_sound(heap);
        }
        assert_int_equal(statistics_of(heap).free_block_count, 1);
        void *rest = allocate(heap, statistics_of(heap).largest_free_bytes);
        assert_sound(heap);
        heap_free(heap, rest, CALLER);
        heap_free(heap, first, CALLER);
        assert_sound(heap);
        heap_arena_set_usable(&fixture->arena, 4096);
    }
}

/* --- Sizes that other heaps cut --------------------------------------------------------------- */

/* A bug of another heap: gaps above 256 KiB or 16 MiB were misread, since a tag was cut. */
static void test_huge_heap(void **state)
{
    struct fixture *fixture = *state;
    const size_t size_bytes = (size_t)40 << 30;
    struct fixture huge = {.policy = fixture->policy};
    heap_arena_create(&huge.arena, size_bytes);
    struct heap *heap = start_fixed(&huge, size_bytes);
    static const size_t sizes[] = {((size_t)9 << 30) + 5, ((size_t)16 << 20) + 1, 300000,
                                   ((size_t)17 << 30) + 3, ((size_t)5 << 30) - 7};
    uint8_t *blocks[5];
    for (unsigned i = 0; i < 5; i++) {
        blocks[i] = allocate(heap, sizes[i]);
        blocks[i][0] = (uint8_t)i;
        blocks[i][sizes[i] - 1] = (uint8_t)(i + 1);
        (void)allocate(heap, 300000);
        assert_sound(heap);
    }
    assert_null(heap_allocate(heap, sizes[0], CALLER));
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(heap_usable_size(heap, blocks[i], CALLER), sizes[i]);
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][sizes[i] - 1], i + 1);
    }
    if (!heap_frees_newest_only(heap)) {
        heap_free(heap, blocks[3], CALLER);
        heap_free(heap, blocks[1], CALLER);
        assert_sound(heap);
        assert_ptr_equal(allocate(heap, sizes[3]), blocks[3]);
        assert_ptr_equal(allocate(heap, sizes[1]), blocks[1]);
        assert_sound(heap);
    }
    blocks[4][sizes[4]] ^= 1;
    heap_free(heap, blocks[4], OTHER_CALLER);
    assert_fault(&huge, HEAP_FAULT_OVERRUN);
    heap_arena_destroy(&huge.arena);

    struct heap_configuration beyond = heap_arena_fixed(&huge.arena, 0);
    beyond.policy = fixture->policy;
    beyond.initial_bytes = 4096;
    beyond.limit_bytes = (size_t)1 << 36;
    assert_int_equal(heap_initialise(&beyond, &heap), HEAP_TOO_LARGE);
}

/* --- Properties of single policies ------------------------------------------------------------ */

static void test_bump_frees_only_the_newest_first(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 65536);
    if (!heap_frees_newest_only(heap))
        return;
    uint8_t *older = allocate(heap, 100);
    uint8_t *newer = heap_allocate_aligned(heap, 100, 4096, CALLER);
    heap_free(heap, older, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
    assert_ptr_equal(fixture->arena.fault.block, older);
    assert_int_equal(fixture->arena.fault.size_bytes, 100);
    assert_null(heap_reallocate(heap, older, 5000, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 1);
    assert_ptr_equal(heap_reallocate(heap, older, 90, CALLER), older);
    assert_ptr_equal(heap_reallocate(heap, newer, 5000, CALLER), newer);
    heap_free(heap, newer, CALLER);
    heap_free(heap, older, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).used_bytes, 0);
}

/* A block that is not the newest can always shrink, and grow again to its first size, but not
 * more. */
static void test_bump_older_blocks_change_their_size(void **state)
{
    struct fixture *fixture = *state;
    for (size_t from = 1; from < 200; from += 3) {
        for (size_t to = 1; to < from; to += 5) {
            struct heap *heap = start_fixed(fixture, 8192);
            if (!heap_frees_newest_only(heap))
                return;
            uint8_t *block = memset(allocate(heap, from), 0x41, from);
            uint8_t *newer =
                to % 2 == 0 ? allocate(heap, 30) : heap_allocate_aligned(heap, 30, 256, CALLER);
            while (heap_allocate(heap, 16, CALLER) != NULL)
                continue;
            for (size_t size_bytes = from; size_bytes > to; size_bytes -= (size_bytes - to + 1) / 2)
                assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
            assert_ptr_equal(heap_reallocate(heap, block, to, CALLER), block);
            assert_sound(heap);
            assert_ptr_equal(heap_reallocate(heap, block, from, CALLER), block);
            assert_sound(heap);
            assert_null(heap_reallocate(heap, block, (size_t)(newer - block) + 1, CALLER));
            assert_ptr_equal(heap_reallocate(heap, block, to, CALLER), block);
            assert_sound(heap);
            for (size_t i = 0; i < to; i++)
                assert_int_equal(block[i], 0x41);
            assert_int_equal(heap_usable_size(heap, newer, CALLER), 30);
            assert_int_equal(fixture->arena.fault_count, 0);
        }
    }
}

/* A re-allocation makes the heap grow, like an allocation. */
static void test_bump_newest_block_grows_with_the_heap(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (!heap_frees_newest_only(heap))
        return;
    uint8_t *older = allocate(heap, 100);
    uint8_t *block = memset(allocate(heap, 100), 0x41, 100);
    for (size_t size_bytes = 1000; size_bytes < 7 * MIB; size_bytes *= 2)
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
    assert_null(heap_reallocate(heap, block, ARENA_BYTES - 100, CALLER));
    unsigned grow_count = fixture->arena.grow_count;
    assert_null(heap_reallocate(heap, older, 300000, CALLER));
    assert_int_equal(fixture->arena.grow_count, grow_count);
    assert_int_equal(block[99], 0x41);
    assert_ptr_equal(heap_reallocate(heap, block, 100, CALLER), block);
    assert_true(heap_size_bytes(heap) <= MIB / 4);
    assert_sound(heap);
}

/* The bytes behind an older block were overwritten before it is made smaller. */
static void test_bump_resize_checks_the_bytes_behind(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->debug || !fixture->policy->frees_newest_only)
        return;
    for (unsigned is_behind_gap = 0; is_behind_gap < 2; is_behind_gap++) {
        struct heap *heap = start_fixed(fixture, 65536);
        uint8_t *block = allocate(heap, 40);
        uint8_t *newer =
            is_behind_gap ? heap_allocate_aligned(heap, 40, 256, CALLER) : allocate(heap, 40);
        newer[-8] ^= 1;
        /* If there is no gap, that header is the block's canary. */
        assert_null(heap_reallocate(heap, block, 20, OTHER_CALLER));
        assert_fault(fixture, is_behind_gap ? HEAP_FAULT_CORRUPT : HEAP_FAULT_OVERRUN);
    }
}

/* The footer of an alignment's gap determines the start of the next block. */
static void test_bump_gap_is_checked(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct heap *heap = start_fixed(fixture, 65536);
        if (!heap_frees_newest_only(heap))
            return;
        (void)allocate(heap, 100);
        uint8_t *block = heap_allocate_aligned(heap, 100, 4096, CALLER);
        block[-16 + (ptrdiff_t)(bit / 8)] ^= (uint8_t)(1 << bit % 8);
        assert_non_null(heap_check(heap));
        heap_free(heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_CORRUPT);
    }
}

static size_t largest_block(struct heap *heap)
{
    return statistics_of(heap).largest_free_bytes;
}

static void test_an_empty_megabyte_is_usable(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    void *block = allocate(heap, largest_block(heap));
    heap_free(heap, block, CALLER);
    assert_true((double)largest_block(heap) >= 0.9999 * (double)MIB);
}

/* Return the live bytes of a region that is full of blocks of one size, in thousandths of the
 * region. */
static unsigned fill_with(struct fixture *fixture, size_t size_bytes)
{
    const size_t region_bytes = 16 * MIB;
    struct fixture large = {.policy = fixture->policy};
    heap_arena_create(&large.arena, region_bytes);
    struct heap *heap = start_fixed(&large, region_bytes);
    size_t count = 0;
    while (heap_allocate(heap, size_bytes, CALLER) != NULL)
        count++;
    assert_sound(heap);
    heap_arena_destroy(&large.arena);
    return (unsigned)(count * size_bytes * 1000 / region_bytes);
}

static void test_fast_uses_memory_well(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    assert_true(fill_with(fixture, 64) >= 980);
    assert_true(fill_with(fixture, 24) >= 749);
    assert_true(fill_with(fixture, 16) >= 970);
    assert_true(fill_with(fixture, 128) >= 960);
    assert_true(fill_with(fixture, 1000) >= 970);
    assert_true(fill_with(fixture, 4096) >= 980);
}

/* Allocate and free thousands of blocks of sizes with slabs. All memory is free again each time. */
static void test_fast_slabs_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    static void *blocks[40000];
    if (fixture->policy != &heap_policy_fast)
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    size_t original = largest_block(heap);
    for (unsigned round = 0; round < 4; round++) {
        size_t count = 0;
        fixture->random.state = round + 1;
        while (count < 40000 && (blocks[count] = heap_allocate(
                                     heap, random_below(&fixture->random, 280), CALLER)) != NULL)
            count++;
        assert_sound(heap);
        for (size_t i = count; i > 1; i--) {
            size_t other = random_below(&fixture->random, i);
            void *swapped = blocks[i - 1];
            blocks[i - 1] = blocks[other];
            blocks[other] = swapped;
        }
        for (size_t i = 0; i < count; i++) {
            heap_free(heap, blocks[i], CALLER);
            if (i % 1000 == 0)
                assert_sound(heap);
        }
        assert_sound(heap);
        if (fixture->debug)
            heap_trim(heap);
        assert_int_equal(largest_block(heap), original);
        heap_free(heap, allocate(heap, original), CALLER);
    }
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_names(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    assert_ptr_equal(heap_policies_find(heap_policy_name(heap)), fixture->policy);
    assert_null(heap_policies_find("fastest"));
    assert_null(heap_policies_find(""));
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_K16_alignments_are_exact_and_blocks_apart),
    TEST(test_K16_alignments_that_are_none_are_refused),
    TEST(test_K17_random_operations_checked_after_every_step),
    TEST(test_K17_many_random_operations),
    TEST(test_K18_small_heaps),
    TEST(test_K18_extending_in_steps),
    TEST(test_huge_heap),
    TEST(test_bump_frees_only_the_newest_first),
    TEST(test_bump_older_blocks_change_their_size),
    TEST(test_bump_newest_block_grows_with_the_heap),
    TEST(test_bump_resize_checks_the_bytes_behind),
    TEST(test_bump_gap_is_checked),
    TEST_OF_POLICY(test_an_empty_megabyte_is_usable),
    TEST_OF_POLICY(test_fast_uses_memory_well),
    TEST(test_fast_slabs_come_and_go),
    TEST(test_names),
};

int main(void)
{
    return heap_policy_test_run("heap policies", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
