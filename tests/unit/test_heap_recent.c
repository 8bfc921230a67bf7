/* Blocks of the core that stay apart after a free, for the next request of their size: the fast
 * policy only. Those of 1 to 16 KiB lie in slabs while memory is plenty (test_heap_medium.c). */
#include "kernel/mm/heap/heap_state.h"
#include "kernel/mm/heap/policies/fast_recent.h"
#include "tests/unit/support/heap_policy_test.h"

static const size_t KEPT_SIZES[] = {1040,  1041,  1500,  2048,  4095,  4096,  4104,  9000,  16384,
                                    16385, 17000, 20000, 24576, 32767, 32768, 40000, 65535, 65536};
#define KEPT_COUNT (sizeof KEPT_SIZES / sizeof KEPT_SIZES[0])

#define REGION_BYTES ARENA_BYTES

/* The blocks of one size that are kept. */
#define SET_COUNT (FAST_RECENT_DEPTH - 1)

static bool is_fast(const struct fixture *fixture)
{
    return fixture->policy == &heap_policy_fast && !fixture->debug;
}

static unsigned kept_count(const struct heap *heap)
{
    return ((const struct fast_state *)(const void *)heap->policy_state)->recent.block_count;
}

/* More than half of the heap is used, so no slab is opened. */
static struct heap *start_short(struct fixture *fixture)
{
    struct heap *heap = start_fixed(fixture, REGION_BYTES);
    (void)allocate(heap, REGION_BYTES / 2 + REGION_BYTES / 8);
    return heap;
}

/* The newest of the freed blocks comes first, as the debugger of a program expects. */
static void test_next_request_of_the_size_gets_the_block(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 0; s < KEPT_COUNT; s++) {
        struct heap *heap = start_short(fixture);
        uint8_t *blocks[SET_COUNT];
        for (unsigned i = 0; i < SET_COUNT; i++)
            blocks[i] = allocate(heap, KEPT_SIZES[s]);
        for (unsigned i = 0; i < SET_COUNT; i++) {
            heap_free(heap, blocks[i], CALLER);
            assert_int_equal(kept_count(heap), i + 1);
            assert_sound(heap);
        }
        for (unsigned i = SET_COUNT; i-- > 0;) {
            assert_ptr_equal(allocate(heap, KEPT_SIZES[s]), blocks[i]);
            assert_int_equal(heap_usable_size(heap, blocks[i], CALLER), KEPT_SIZES[s]);
            assert_sound(heap);
        }
        assert_int_equal(kept_count(heap), 0);
    }
}

/* Only a size that was asked for last in its set is kept. Sizes of slabs, long blocks and aligned ones
 * are not, and in a small heap no block that is a large part of it. */
static void test_other_blocks_are_merged(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, REGION_BYTES);
    void *blocks[] = {allocate(heap, 1039), allocate(heap, 65537),
                      heap_allocate_aligned(heap, 4096, 4096, CALLER)};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        heap_free(heap, blocks[i], CALLER);
    assert_int_equal(kept_count(heap), 0);
    heap = start_fixed(fixture, 65536);
    heap_free(heap, allocate(heap, 4096), CALLER);
    assert_int_equal(kept_count(heap), 0);
    assert_sound(heap);
}

/* What counts is how large the heap may become, not how large it is. */
static void test_a_small_heap_that_can_grow_keeps_long_blocks(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_growing(fixture, REGION_BYTES);
    uint8_t *block = allocate(heap, 40000);
    (void)allocate(heap, 100);
    heap_free(heap, block, CALLER);
    assert_in_range(heap->size_bytes, 0, 20 * 40000);
    assert_int_equal(kept_count(heap), 1);
    assert_ptr_equal(allocate(heap, 40000), block);
    assert_sound(heap);
}

/* A request gets the memory of kept blocks before the heap grows. */
static void test_kept_blocks_are_merged_before_the_heap_grows(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_growing(fixture, REGION_BYTES);
    void *blocks[4];
    for (unsigned i = 0; i < 4; i++)
        blocks[i] = allocate(heap, 40000);
    (void)allocate(heap, statistics_of(heap).largest_free_bytes);
    for (unsigned i = 0; i < 4; i++)
        heap_free(heap, blocks[i], CALLER);
    size_t size_bytes = heap->size_bytes;
    assert_int_equal(kept_count(heap), 4);
    assert_ptr_equal(allocate(heap, 4 * 40000), blocks[0]);
    assert_int_equal(kept_count(heap), 0);
    assert_int_equal(heap->size_bytes, size_bytes);
    assert_sound(heap);
}

/* Return how many blocks of different sizes a heap of this size keeps. */
static unsigned most_kept(struct fixture *fixture, size_t heap_bytes)
{
    struct heap *heap = start_fixed(fixture, heap_bytes);
    void *blocks[3 * FAST_RECENT_BLOCKS];
    unsigned most = 0;
    (void)allocate(heap, heap_bytes / 2 + heap_bytes / 8);
    for (unsigned i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        blocks[i] = allocate(heap, 1100 + (size_t)i % 6 * 100);
    for (unsigned i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        heap_free(heap, blocks[i], CALLER);
        most = kept_count(heap) > most ? kept_count(heap) : most;
    }
    assert_sound(heap);
    return most;
}

static void test_a_small_heap_keeps_fewer_blocks(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    assert_int_equal(most_kept(fixture, MIB), FAST_RECENT_LEAST);
    assert_int_equal(most_kept(fixture, REGION_BYTES),
                     REGION_BYTES / FAST_RECENT_PART / FAST_RECENT_MOST_BYTES);
}

static void test_statistics_count_kept_memory_as_free(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, REGION_BYTES);
    struct heap_statistics before = statistics_of(heap);
    void *block = allocate(heap, 5000);
    void *behind = allocate(heap, 100);
    heap_free(heap, block, CALLER);
    heap_free(heap, behind, CALLER);
    struct heap_statistics after = statistics_of(heap);
    assert_int_equal(kept_count(heap), 1);
    assert_int_equal(after.used_bytes, 0);
    assert_int_equal(after.live_block_count, 0);
    assert_int_equal(after.largest_free_bytes, before.largest_free_bytes);
    assert_non_null(heap_allocate(heap, before.largest_free_bytes, CALLER));
    assert_int_equal(kept_count(heap), 0);
}

/* Nothing stays apart when a request needs the memory. */
static void test_a_request_that_finds_no_room_merges_all(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, MIB);
    void *blocks[200];
    unsigned count = 0;
    while ((blocks[count] = heap_allocate(heap, 8000, CALLER)) != NULL)
        count++;
    for (unsigned i = 10; i < 14; i++)
        heap_free(heap, blocks[i], CALLER);
    assert_int_equal(kept_count(heap), 4);
    assert_non_null(heap_allocate(heap, 4 * 8000, CALLER));
    assert_int_equal(kept_count(heap), 0);
    assert_sound(heap);
}

/* The kept block is a little longer than the request, so it is in the next bin when it is merged. */
static void test_a_merged_block_of_the_next_bin_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, MIB);
    void *block = allocate(heap, 1104);
    while (heap_allocate(heap, 1104, CALLER) != NULL || heap_allocate(heap, 1088, CALLER) != NULL)
        continue;
    heap_free(heap, block, CALLER);
    assert_int_equal(kept_count(heap), 1);
    assert_ptr_equal(heap_allocate(heap, 1088, CALLER), block);
    assert_sound(heap);
}

/* A block before the kept one is freed, and used again: the kept one's flag changes twice. */
static void test_neighbours_of_a_kept_block_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, REGION_BYTES);
    void *before = allocate(heap, 100000);
    void *kept = allocate(heap, 17000);
    void *behind = allocate(heap, 100000);
    (void)allocate(heap, 100);
    heap_free(heap, kept, CALLER);
    heap_free(heap, before, CALLER);
    assert_sound(heap);
    assert_ptr_equal(allocate(heap, 17000), kept);
    assert_sound(heap);
    heap_free(heap, kept, CALLER);
    assert_ptr_equal(allocate(heap, 100000), before);
    heap_free(heap, behind, CALLER);
    assert_sound(heap);
    assert_ptr_equal(allocate(heap, 17000), kept);
    assert_int_equal(fixture->arena.fault_count, 0);
    assert_sound(heap);
}

/* A block grows into a kept one behind it, instead of being moved. */
static void test_a_block_grows_into_a_kept_one(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, REGION_BYTES);
    uint8_t *block = allocate(heap, 4096);
    void *behind = allocate(heap, 9000);
    (void)allocate(heap, 9000);
    memset(block, 0x33, 4096);
    heap_free(heap, behind, CALLER);
    assert_ptr_equal(heap_reallocate(heap, block, 12000, CALLER), block);
    assert_int_equal(block[4095], 0x33);
    assert_int_equal(kept_count(heap), 0);
    assert_sound(heap);
}

/* Only that kept block is merged, and not a newer one of its size. */
static void test_other_kept_blocks_stay(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, REGION_BYTES);
    uint8_t *block = allocate(heap, 100000);
    uint8_t *kept[3];
    for (unsigned i = 0; i < 3; i++) {
        kept[i] = allocate(heap, 20000);
        (void)allocate(heap, 2000000);
    }
    for (unsigned i = 0; i < 3; i++)
        heap_free(heap, kept[i], CALLER);
    assert_ptr_equal(heap_reallocate(heap, block, 115000, CALLER), block);
    assert_int_equal(kept_count(heap), 2);
    assert_sound(heap);
    assert_ptr_equal(allocate(heap, 20000), kept[1]);
    assert_ptr_equal(allocate(heap, 20000), kept[2]);
    assert_sound(heap);
}

/* Many sizes share a set. Kept blocks of one size make room for those of another. */
static void test_a_new_size_takes_the_place_of_an_old_one(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_short(fixture);
    for (size_t size_bytes = 1040; size_bytes < 9000; size_bytes += 16) {
        for (unsigned round = 0; round < 12; round++) {
            void *blocks[2] = {allocate(heap, size_bytes), allocate(heap, size_bytes)};
            heap_free(heap, blocks[0], CALLER);
            heap_free(heap, blocks[1], CALLER);
        }
        assert_in_range(kept_count(heap), 1, FAST_RECENT_BLOCKS);
        assert_sound(heap);
    }
    heap_trim(heap);
    assert_int_equal(kept_count(heap), 0);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
}

/* A second free of a kept block is reported, with its size. */
static void test_K4_second_free_of_a_kept_block_is_named(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 0; s < KEPT_COUNT; s++) {
        struct heap *heap = start_short(fixture);
        uint8_t *block = allocate(heap, KEPT_SIZES[s]);
        heap_free(heap, block, CALLER);
        memset(block, 0xa5, KEPT_SIZES[s]); /* a write after the free does not hide it */
        heap_free(heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        assert_ptr_equal(fixture->arena.fault.block, block);
        assert_int_equal(fixture->arena.fault.size_bytes, KEPT_SIZES[s]);
        assert_ptr_equal(allocate(heap, KEPT_SIZES[s]), block);
        assert_ptr_not_equal(allocate(heap, KEPT_SIZES[s]), block);
        assert_sound(heap);
    }
}

/* Each bit of a kept block's header is compared before the block is used again, and before it is
 * merged. */
static void test_K9_header_of_a_kept_block_is_checked(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (unsigned merges = 0; merges < 2; merges++) {
            struct heap *heap = start_fixed(fixture, REGION_BYTES);
            uint8_t *block = allocate(heap, 4096);
            (void)allocate(heap, 100);
            heap_free(heap, block, CALLER);
            block[-8 + (ptrdiff_t)(bit / 8)] ^= (uint8_t)(1 << bit % 8);
            assert_non_null(heap_check(heap));
            assert_null(heap_allocate(heap, merges ? REGION_BYTES - 4096 : 4096, OTHER_CALLER));
            assert_fault(fixture, HEAP_FAULT_CORRUPT);
        }
    }
}

/* The slack of a kept block keeps its canaries. A write there after the free is found at the latest
 * when the next block is freed. */
static void test_K8_slack_of_a_kept_block_is_checked(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 0; s < KEPT_COUNT; s++) {
        size_t slack_bytes = 16 - (KEPT_SIZES[s] + 8) % 16;
        for (size_t i = 0; i < slack_bytes; i++) {
            struct heap *heap = start_short(fixture);
            uint8_t *block = allocate(heap, KEPT_SIZES[s]);
            heap_free(heap, block, CALLER);
            block[KEPT_SIZES[s] + i] ^= 0x10;
            assert_ptr_equal(allocate(heap, KEPT_SIZES[s]), block);
            heap_free(heap, block, OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_OVERRUN);
        }
    }
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_next_request_of_the_size_gets_the_block),
    TEST(test_other_blocks_are_merged),
    TEST(test_a_small_heap_that_can_grow_keeps_long_blocks),
    TEST(test_kept_blocks_are_merged_before_the_heap_grows),
    TEST(test_a_small_heap_keeps_fewer_blocks),
    TEST(test_statistics_count_kept_memory_as_free),
    TEST(test_a_request_that_finds_no_room_merges_all),
    TEST(test_a_merged_block_of_the_next_bin_is_found),
    TEST(test_neighbours_of_a_kept_block_come_and_go),
    TEST(test_a_block_grows_into_a_kept_one),
    TEST(test_other_kept_blocks_stay),
    TEST(test_a_new_size_takes_the_place_of_an_old_one),
    TEST(test_K4_second_free_of_a_kept_block_is_named),
    TEST(test_K9_header_of_a_kept_block_is_checked),
    TEST(test_K8_slack_of_a_kept_block_is_checked),
};

int main(void)
{
    return heap_policy_test_run("kept blocks", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
