/* Growth, coalescing, re-allocation, alignment and minima of a best-fit heap: catalogue K11 to K16,
 * K18 and K19. */
#include "tests/unit/support/best_fit_test.h"

/* --- K11, K12: growth ------------------------------------------------------------------------- */

struct snapshot {
    uint8_t *bytes;
    size_t size_bytes;
    struct heap_best_fit_storage state;
};

static struct snapshot snapshot_take(const struct fixture *fixture)
{
    struct snapshot snapshot = {malloc(fixture->arena.usable_bytes), fixture->arena.usable_bytes,
                                fixture->arena.storage.best_fit};
    memcpy(snapshot.bytes, fixture->arena.base, snapshot.size_bytes);
    return snapshot;
}

/* Every byte of the heap and all of its state but the count of failures. */
static void snapshot_assert_same(struct snapshot *snapshot, const struct fixture *fixture)
{
    assert_int_equal(snapshot->size_bytes, fixture->arena.usable_bytes);
    assert_memory_equal(snapshot->bytes, fixture->arena.base, snapshot->size_bytes);
    struct heap *before = (void *)&snapshot->state;
    before->counters.failure_count = fixture->heap->counters.failure_count;
    assert_memory_equal(before, fixture->heap, sizeof snapshot->state);
    free(snapshot->bytes);
}

static void test_K11_failed_growth_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned budget_pages = 16; budget_pages < 64; budget_pages++) {
        fixture->arena.budget_bytes = budget_pages * HEAP_PAGE_SIZE_BYTES;
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        void *blocks[64];
        size_t count = 0;
        for (;;) {
            struct snapshot before = snapshot_take(fixture);
            blocks[count] = heap_allocate(heap, 5000, CALLER);
            if (blocks[count] == NULL) {
                snapshot_assert_same(&before, fixture);
                break;
            }
            free(before.bytes);
            assert_sound(heap);
            count++;
        }
        assert_true(count > 0);
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_int_equal(statistics_of(heap).failure_count, 1);
        assert_true(fixture->arena.usable_bytes >
                    fixture->arena.budget_bytes - 2 * HEAP_PAGE_SIZE_BYTES);

        heap_free(heap, blocks[0], CALLER);
        blocks[0] = allocate(heap, 5000);
        while (count > 0)
            heap_free(heap, blocks[--count], CALLER);
        assert_sound(heap);
        assert_int_equal(statistics_of(heap).free_block_count, 1);
    }
}

/* Each call of the page source fails once, for every n. If a large step fails, the heap tries the
 * size that the request needs. So not every failing call fails a request. */
static void test_K11_nth_growth_fails(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned n = 1; n < 40; n++) {
        fixture->arena.failing_grow = 0;
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        fixture->arena.failing_grow = fixture->arena.grow_count + n;
        size_t served = 0;
        for (unsigned i = 0; i < 60; i++) {
            served += heap_allocate(heap, 10000, CALLER) != NULL;
            assert_sound(heap);
        }
        assert_int_equal(served, 60);
    }
}

static void test_K11_initial_growth_fails(void **state)
{
    struct fixture *fixture = *state;
    union heap_policies_storage untouched;
    memset(&fixture->arena.storage, 0x3c, sizeof untouched);
    memset(&untouched, 0x3c, sizeof untouched);
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    fixture->arena.failing_grow = 1;
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_NO_MEMORY);
    assert_null(fixture->heap);
    assert_memory_equal(&fixture->arena.storage, &untouched, sizeof untouched);
}

static void test_K12_window_full(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    size_t count = 0;
    while (heap_allocate(heap, 1000, CALLER) != NULL)
        count++;
    assert_int_equal(heap_size_bytes(heap), ARENA_BYTES);
    assert_true(count >= ARENA_BYTES / (1000 + 8 + HEADER_BYTES) - 1);
    assert_null(heap_allocate(heap, 1000, CALLER));
    assert_null(heap_allocate(heap, ARENA_BYTES, CALLER));
    assert_sound(heap);
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_largest_block_of_a_growing_heap(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    assert_null(heap_allocate(heap, ARENA_BYTES - 2 * HEADER_BYTES + 1, CALLER));
    size_t generous = ARENA_BYTES - 512;
    void *block = allocate(heap, generous);
    memset(block, 0xee, generous);
    assert_sound(heap);
    heap_free(heap, block, CALLER);
    assert_sound(heap);
}

/* One growth is enough for every size, every alignment and every amount of free memory at the end.
 */
static void test_growth_is_enough_for_the_request(void **state)
{
    struct fixture *fixture = *state;
    for (size_t filled = 65536 - 256; filled <= 65536 - 64; filled += 16) {
        for (size_t alignment = 16; alignment <= 8192; alignment *= 2) {
            for (size_t around = 0; around <= 64; around += 16) {
                struct heap *heap = start_growing(fixture, ARENA_BYTES);
                (void)allocate(heap, filled);
                unsigned grow_count = fixture->arena.grow_count;
                size_t size_bytes = 2 * (size_t)65536 - around;
                assert_non_null(heap_allocate_aligned(heap, size_bytes, alignment, CALLER));
                assert_int_equal(fixture->arena.grow_count, grow_count + 1);
            }
        }
    }
}

static void test_free_tail_goes_back(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    size_t first_bytes = fixture->arena.usable_bytes;
    void *small = allocate(heap, 100);
    void *large = allocate(heap, 600000);
    assert_true(fixture->arena.usable_bytes > 600000);
    heap_free(heap, large, CALLER);
    assert_true(fixture->arena.usable_bytes <= 2 * first_bytes);
    assert_int_equal(heap_size_bytes(heap), fixture->arena.usable_bytes);
    assert_sound(heap);

    /* The heap must not shrink and grow in turns because of the memory that is left. */
    unsigned calls = fixture->arena.grow_count + fixture->arena.shrink_count;
    for (unsigned i = 0; i < 100; i++)
        heap_free(heap, allocate(heap, 8192), CALLER);
    assert_int_equal(fixture->arena.grow_count + fixture->arena.shrink_count, calls);

    large = allocate(heap, 600000);
    memset(large, 0xee, 600000);
    assert_sound(heap);
    heap_free(heap, large, CALLER);
    heap_free(heap, small, CALLER);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
}

/* --- K13: coalescing -------------------------------------------------------------------------- */

static void test_K13_checkerboard_coalesces(void **state)
{
    enum { COUNT = 64 };
    struct heap *heap = start_fixed(*state, 16384);
    struct heap_statistics original = statistics_of(heap);
    assert_int_equal(original.free_block_count, 1);
    assert_int_equal(original.largest_free_bytes, 16384 - 2 * HEADER_BYTES);

    void *blocks[COUNT];
    for (unsigned i = 0; i < COUNT; i++)
        blocks[i] = allocate(heap, 96);
    for (unsigned i = 0; i < COUNT; i += 2)
        heap_free(heap, blocks[i], CALLER);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).free_block_count, COUNT / 2 + 1);
    for (unsigned i = 1; i < COUNT; i += 2) {
        heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
    }
    struct heap_statistics after = statistics_of(heap);
    assert_int_equal(after.free_block_count, 1);
    assert_int_equal(after.largest_free_bytes, original.largest_free_bytes);
    assert_int_equal(after.used_bytes, 0);
}

static void test_smallest_that_fits_is_used(void **state)
{
    struct heap *heap = start_fixed(*state, 16384);
    static const size_t sizes[] = {400, 160, 304, 208, 1008};
    uint8_t *holes[5];
    for (unsigned i = 0; i < 5; i++) {
        holes[i] = allocate(heap, sizes[i]);
        (void)allocate(heap, 16);
    }
    for (unsigned i = 0; i < 5; i++)
        heap_free(heap, holes[i], CALLER);
    assert_ptr_equal(allocate(heap, 200), holes[3]);
    assert_ptr_equal(allocate(heap, 160), holes[1]);
    assert_ptr_equal(allocate(heap, 161), holes[2]);
    assert_ptr_equal(allocate(heap, 401), holes[4]);
    assert_sound(heap);
}

/* The rest is split off from twice the header up. */
static void test_split_threshold(void **state)
{
    for (size_t rest_bytes = 0; rest_bytes <= 128; rest_bytes += 16) {
        struct heap *heap = start_fixed(*state, 16384);
        uint8_t *hole = allocate(heap, 160 + rest_bytes);
        (void)allocate(heap, 16);
        heap_free(heap, hole, CALLER);
        assert_int_equal(statistics_of(heap).free_block_count, 2);
        assert_ptr_equal(allocate(heap, 160), hole);
        assert_int_equal(statistics_of(heap).free_block_count,
                         rest_bytes > 2 * HEADER_BYTES ? 2 : 1);
        assert_sound(heap);
    }
}

/* --- K14, K19: zeroed ------------------------------------------------------------------------- */

static void test_K14_zeroed_product_that_wraps_is_refused(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    assert_null(heap_allocate_zeroed(heap, SIZE_MAX, 2, CALLER));
    assert_null(heap_allocate_zeroed(heap, 2, SIZE_MAX, CALLER));
    assert_null(heap_allocate_zeroed(heap, SIZE_MAX, SIZE_MAX, CALLER));
    assert_null(heap_allocate_zeroed(heap, (size_t)1 << 32, ((size_t)1 << 32) + 1, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 4);
    void *empty = heap_allocate_zeroed(heap, 0, SIZE_MAX, CALLER);
    assert_non_null(empty);
    assert_int_equal(heap_usable_size(heap, empty, CALLER), 0);
    assert_non_null(heap_allocate_zeroed(heap, SIZE_MAX, 0, CALLER));
    assert_sound(heap);
}

static void test_K19_zeroing_leaves_no_stale_byte(void **state)
{
    for (size_t size_bytes = 1; size_bytes < 300; size_bytes++) {
        struct heap *heap = start_fixed(*state, 4096);
        void *dirty = allocate(heap, 3000);
        memset(dirty, 0xcd, 3000);
        heap_free(heap, dirty, CALLER);
        uint8_t *block = heap_allocate_zeroed(heap, size_bytes, 7, CALLER);
        assert_non_null(block);
        for (size_t i = 0; i < size_bytes * 7; i++)
            assert_int_equal(block[i], 0);
        assert_sound(heap);
    }
}

/* --- K15: re-allocation ----------------------------------------------------------------------- */

static void test_K15_reallocation_of_null_and_to_zero(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    void *block = heap_reallocate(heap, NULL, 50, CALLER);
    assert_non_null(block);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 50);
    assert_null(heap_reallocate(heap, block, 0, CALLER));
    struct heap_statistics statistics = statistics_of(heap);
    assert_int_equal(statistics.live_block_count, 0);
    assert_int_equal(statistics.failure_count, 0);
    assert_sound(heap);
}

static void test_K15_every_pair_of_sizes_keeps_the_content(void **state)
{
    for (int neighbour = 0; neighbour <= 1; neighbour++) {
        for (size_t old_bytes = 1; old_bytes <= 200; old_bytes += 3) {
            for (size_t new_bytes = 1; new_bytes <= 200; new_bytes++) {
                struct heap *heap = start_fixed(*state, 4096);
                uint8_t *block = allocate(heap, old_bytes);
                if (neighbour)
                    (void)allocate(heap, 16);
                fill(block, old_bytes, 3);
                uint8_t *moved = heap_reallocate(heap, block, new_bytes, CALLER);
                assert_non_null(moved);
                assert_filled(moved, old_bytes < new_bytes ? old_bytes : new_bytes, 3);
                memset(moved, 0, new_bytes);
                assert_int_equal(heap_usable_size(heap, moved, CALLER), new_bytes);
                assert_int_equal(statistics_of(heap).used_bytes, new_bytes + (neighbour ? 16 : 0));
                assert_sound(heap);
            }
        }
    }
}

static void test_K15_growth_uses_free_memory_behind(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    uint8_t *block = allocate(heap, 64);
    assert_ptr_equal(heap_reallocate(heap, block, 2000, CALLER), block);
    assert_ptr_equal(heap_reallocate(heap, block, 64, CALLER), block);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
    assert_int_equal(statistics_of(heap).largest_free_bytes, 4096 - 64 - 3 * HEADER_BYTES);
    assert_sound(heap);
}

static void test_K15_failure_leaves_the_old_block(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    uint8_t *block = allocate(heap, 700);
    (void)allocate(heap, 700);
    fill(block, 700, 9);
    struct snapshot before = snapshot_take(fixture);
    assert_null(heap_reallocate(heap, block, 3500, CALLER));
    snapshot_assert_same(&before, fixture);
    assert_filled(block, 700, 9);
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* A bug that shipped elsewhere: a block that moves loses its alignment. */
static void test_K15_reallocation_keeps_the_alignment(void **state)
{
    struct heap *heap = start_fixed(*state, ARENA_BYTES);
    for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
        uint8_t *block = heap_allocate_aligned(heap, 100, alignment, CALLER);
        assert_non_null(block);
        fill(block, 100, 5);
        (void)allocate(heap, 5000); /* too large for a gap before the block: it lies behind */
        uint8_t *moved = heap_reallocate(heap, block, 5000, CALLER);
        assert_non_null(moved);
        assert_ptr_not_equal(moved, block);
        assert_int_equal((uintptr_t)moved % alignment, 0);
        assert_filled(moved, 100, 5);
        assert_sound(heap);
    }
}

/* --- K16: alignment --------------------------------------------------------------------------- */

static void test_K16_alignments_are_exact(void **state)
{
    struct heap *heap = start_fixed(*state, ARENA_BYTES);
    void *blocks[600];
    size_t count = 0;
    for (size_t alignment = 1; alignment <= 16384; alignment *= 2) {
        for (size_t size_bytes = 0; size_bytes <= 4096; size_bytes = size_bytes * 3 + 1) {
            uint8_t *block = heap_allocate_aligned(heap, size_bytes, alignment, CALLER);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % (alignment < 16 ? 16 : alignment), 0);
            memset(block, 0xab, size_bytes);
            assert_sound(heap);
            blocks[count++] = block;
        }
    }
    for (size_t i = 0; i < count; i++)
        heap_free(heap, blocks[i * 7 % count], CALLER);
    assert_sound(heap);
    struct heap_statistics after = statistics_of(heap);
    assert_int_equal(after.live_block_count, 0);
    assert_int_equal(after.free_block_count, 1);
}

static void test_K16_alignments_that_are_none_are_refused(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    static const size_t alignments[] = {0, 3, 24, 48, 4095, SIZE_MAX};
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++)
        assert_null(heap_allocate_aligned(heap, 16, alignments[i], CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 6);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

/* A gap that is too small for a segment must not be lost or overlapped. */
static void test_K16_aligned_blocks_do_not_overlap(void **state)
{
    for (size_t before = 0; before < 256; before += 16) {
        for (size_t alignment = 32; alignment <= 256; alignment *= 2) {
            struct heap *heap = start_fixed(*state, 4096);
            uint8_t *first = allocate(heap, before);
            uint8_t *second = heap_allocate_aligned(heap, 100, alignment, CALLER);
            uint8_t *third = heap_allocate_aligned(heap, 100, alignment, CALLER);
            fill(first, before, 1);
            fill(second, 100, 2);
            fill(third, 100, 3);
            assert_filled(first, before, 1);
            assert_filled(second, 100, 2);
            assert_filled(third, 100, 3);
            assert_sound(heap);
            heap_free(heap, second, CALLER);
            heap_free(heap, first, CALLER);
            heap_free(heap, third, CALLER);
            assert_int_equal(statistics_of(heap).free_block_count, 1);
        }
    }
}

/* --- K18: minima ------------------------------------------------------------------------------ */

static void test_K18_initialise_below_the_minimum_is_refused(void **state)
{
    struct fixture *fixture = *state;
    union heap_policies_storage untouched;
    memset(&untouched, 0x3c, sizeof untouched);
    for (size_t size_bytes = 0; size_bytes < 80; size_bytes += 16) {
        struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, size_bytes);
        memset(&fixture->arena.storage, 0x3c, sizeof untouched);
        assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_TOO_SMALL);
        configuration.limit_bytes = 4096;
        assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_TOO_SMALL);
        assert_null(fixture->heap);
        assert_memory_equal(&fixture->arena.storage, &untouched, sizeof untouched);
    }
    struct heap *heap = start_fixed(fixture, 80);
    void *block = allocate(heap, 16);
    assert_null(heap_allocate(heap, 0, CALLER));
    assert_sound(heap);
    heap_free(heap, block, CALLER);
    assert_sound(heap);
}

static void test_K18_initialise_refuses_foreign_numbers(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration good = heap_arena_fixed(&fixture->arena, 4096);
    struct heap_configuration bad = good;
    bad.base = (uint8_t *)good.base + 8;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
    bad = good;
    bad.initial_bytes = 4095;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
    bad = good;
    bad.limit_bytes = 4095;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
    bad = good;
    bad.initial_bytes = 8192;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_LARGE);
    bad = good;
    bad.limit_bytes = SIZE_MAX - 15;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_LARGE);
    bad = good;
    bad.base = (void *)(UINTPTR_MAX - 4095);
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_LARGE);
    bad = good;
    bad.base = NULL;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_SMALL);
    bad = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    bad.base = fixture->arena.base + 16;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
}

/* The storage is validated before anything is written to it. */
static void test_K18_initialise_refuses_storage_that_is_too_small(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration good = heap_arena_fixed(&fixture->arena, 4096);
    struct heap_configuration bad = good;
    bad.storage = NULL;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_SMALL);
    bad = good;
    bad.storage_bytes = good.policy->storage_bytes - 1;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_SMALL);
    bad = good;
    bad.storage = (uint8_t *)good.storage + 8;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
    assert_null(fixture->heap);
    good.storage_bytes = good.policy->storage_bytes;
    assert_int_equal(heap_initialise(&good, &fixture->heap), HEAP_OK);
    assert_ptr_equal(fixture->heap, good.storage);
}

static void test_K18_extend_below_the_minimum_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, 4096);
    configuration.limit_bytes = 8192;
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;

    heap_arena_set_usable(&fixture->arena, 8192);
    struct snapshot before = snapshot_take(fixture);
    assert_int_equal(heap_extend(heap, 0), HEAP_TOO_SMALL);
    assert_int_equal(heap_extend(heap, 32), HEAP_TOO_SMALL);
    assert_int_equal(heap_extend(heap, 100), HEAP_UNALIGNED);
    assert_int_equal(heap_extend(heap, 4112), HEAP_TOO_LARGE);
    snapshot_assert_same(&before, fixture);

    assert_int_equal(heap_extend(heap, 48), HEAP_OK);
    assert_sound(heap);
    (void)allocate(heap, 4000);
    assert_int_equal(heap_extend(heap, 4048), HEAP_OK);
    assert_sound(heap);
    (void)allocate(heap, 4000);
    assert_sound(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ARENA(test_K11_failed_growth_changes_nothing),
        ON_ARENA(test_K11_nth_growth_fails),
        ON_ARENA(test_K11_initial_growth_fails),
        ON_ARENA(test_K12_window_full),
        ON_ARENA(test_largest_block_of_a_growing_heap),
        ON_ARENA(test_growth_is_enough_for_the_request),
        ON_ARENA(test_free_tail_goes_back),
        ON_ARENA(test_K13_checkerboard_coalesces),
        ON_ARENA(test_smallest_that_fits_is_used),
        ON_ARENA(test_split_threshold),
        ON_ARENA(test_K14_zeroed_product_that_wraps_is_refused),
        ON_ARENA(test_K19_zeroing_leaves_no_stale_byte),
        ON_ARENA(test_K15_reallocation_of_null_and_to_zero),
        ON_ARENA(test_K15_every_pair_of_sizes_keeps_the_content),
        ON_ARENA(test_K15_growth_uses_free_memory_behind),
        ON_ARENA(test_K15_failure_leaves_the_old_block),
        ON_ARENA(test_K15_reallocation_keeps_the_alignment),
        ON_ARENA(test_K16_alignments_are_exact),
        ON_ARENA(test_K16_alignments_that_are_none_are_refused),
        ON_ARENA(test_K16_aligned_blocks_do_not_overlap),
        ON_ARENA(test_K18_initialise_below_the_minimum_is_refused),
        ON_ARENA(test_K18_initialise_refuses_foreign_numbers),
        ON_ARENA(test_K18_initialise_refuses_storage_that_is_too_small),
        ON_ARENA(test_K18_extend_below_the_minimum_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
