/* Re-allocation: catalogue K15, for each policy. */
#include "tests/unit/support/heap_policy_test.h"

static void test_K15_reallocation_of_null_and_to_zero(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    void *block = heap_reallocate(heap, NULL, 50, CALLER);
    assert_non_null(block);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 50);
    assert_null(heap_reallocate(heap, block, 0, CALLER));
    assert_int_equal(statistics_of(heap).live_block_count, 0);
    assert_int_equal(statistics_of(heap).failure_count, 0);
    assert_sound(heap);
}

static void test_K15_every_pair_of_sizes_keeps_the_content(void **state)
{
    struct fixture *fixture = *state;
    for (size_t p = 0; p < 2; p++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        populate(heap, 64, POPULATIONS[p]);
        populate(heap, 256, POPULATIONS[p]);
        for (size_t from = 0; from < SIZE_COUNT; from++) {
            for (size_t to = 1; to < SIZE_COUNT; to++) {
                uint8_t *block = allocate(heap, SIZES[from]);
                memset(block, 0x5a, SIZES[from]);
                block = heap_reallocate(heap, block, SIZES[to], CALLER);
                assert_non_null(block);
                size_t kept = SIZES[from] < SIZES[to] ? SIZES[from] : SIZES[to];
                for (size_t i = 0; i < kept; i++)
                    assert_int_equal(block[i], 0x5a);
                memset(block, 0xff, SIZES[to]);
                assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[to]);
                heap_free(heap, block, CALLER);
            }
            assert_sound(heap);
        }
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* For many blocks of one size in any policy, the new size is exactly the requested one. */
static void test_K15_one_byte_less_in_a_population(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 1; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < POPULATION_COUNT; p++) {
            struct heap *heap = start_fixed(fixture, ARENA_BYTES);
            populate(heap, SIZES[s], POPULATIONS[p]);
            uint8_t *block = memset(allocate(heap, SIZES[s]), 0x42, SIZES[s]);
            block = heap_reallocate(heap, block, SIZES[s] - 1, CALLER);
            if (SIZES[s] == 1)
                continue;
            assert_non_null(block);
            assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[s] - 1);
            for (size_t i = 0; i < SIZES[s] - 1; i++)
                assert_int_equal(block[i], 0x42);
            assert_sound(heap);
        }
    }
}

static void test_K15_failure_leaves_the_old_block(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 1; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(fixture, MIB);
        (void)allocate(heap, 200);
        uint8_t *block = allocate(heap, SIZES[s]);
        memset(block, 0x5a, SIZES[s]);
        assert_null(heap_reallocate(heap, block, MIB - 64, CALLER));
        assert_null(heap_reallocate(heap, block, 2 * MIB, CALLER));
        for (size_t i = 0; i < SIZES[s]; i++)
            assert_int_equal(block[i], 0x5a);
        assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[s]);
        heap_free(heap, block, CALLER);
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_sound(heap);
    }
}

/* The free of the old block meets an overwritten link. The operation fails, although the content
 * has already moved. */
static void test_K15_move_that_finds_a_fault_fails(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    if (heap_frees_newest_only(heap))
        return;
    void *room = allocate(heap, 40000);
    (void)allocate(heap, 17000);
    uint8_t *neighbour = allocate(heap, 100000);
    void *block = allocate(heap, 17000);
    (void)allocate(heap, 17000);
    heap_free(heap, room, CALLER);
    heap_free(heap, neighbour, CALLER);
    memset(neighbour, 0x7e, 16);
    assert_null(heap_reallocate(heap, block, 30000, CALLER));
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_CORRUPT);
    assert_null(heap_allocate(heap, 10, CALLER));
}

/* A block cannot grow, since the free memory behind it was overwritten. It is not moved either: a
 * corrupt heap does nothing more. */
static void test_K15_growth_that_finds_a_fault_moves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    if (heap_frees_newest_only(heap))
        return;
    void *room = allocate(heap, 40000);
    (void)allocate(heap, 17000);
    uint8_t *block = memset(allocate(heap, 17000), 0x5a, 17000);
    uint8_t *neighbour = allocate(heap, 100000);
    (void)allocate(heap, 17000);
    heap_free(heap, room, CALLER);
    heap_free(heap, neighbour, CALLER);
    memset(neighbour, 0x7e, 16);
    size_t used_bytes = statistics_of(heap).used_bytes;
    assert_null(heap_reallocate(heap, block, 30000, OTHER_CALLER));
    assert_fault(fixture, HEAP_FAULT_CORRUPT);
    assert_int_equal(statistics_of(heap).used_bytes, used_bytes);
    for (size_t i = 0; i < 17000; i++)
        assert_int_equal(block[i], 0x5a);
}

/* The new block takes all of the free memory before the old one. */
static void test_K15_a_block_moves_to_the_memory_before_it(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    if (heap_frees_newest_only(heap))
        return;
    void *room = allocate(heap, 40000);
    uint8_t *block = memset(allocate(heap, 17000), 0x5a, 17000);
    (void)allocate(heap, 17000);
    heap_free(heap, room, CALLER);
    uint8_t *moved = heap_reallocate(heap, block, 40000, CALLER);
    assert_non_null(moved);
    if (fixture->policy == &heap_policy_fast && !fixture->debug)
        assert_ptr_equal(moved, room);
    for (size_t i = 0; i < 17000; i++)
        assert_int_equal(moved[i], 0x5a);
    assert_int_equal(fixture->arena.fault_count, 0);
    assert_sound(heap);
}

/* A bug of another heap: a block that moved lost its alignment. */
static void test_K15_reallocation_keeps_the_alignment(void **state)
{
    struct heap *heap = start_fixed(*state, ARENA_BYTES);
    if (heap_frees_newest_only(heap))
        return;
    for (size_t alignment = 16; alignment <= MIB; alignment *= 2) {
        uint8_t *block = heap_allocate_aligned(heap, 100, alignment, CALLER);
        assert_non_null(block);
        memset(block, 0x5a, 100);
        void *behind = allocate(heap, 5000);
        uint8_t *moved = heap_reallocate(heap, block, 9000, CALLER);
        assert_non_null(moved);
        assert_int_equal((uintptr_t)moved % alignment, 0);
        moved = heap_reallocate(heap, moved, 20, CALLER);
        assert_int_equal((uintptr_t)moved % alignment, 0);
        for (size_t i = 0; i < 20; i++)
            assert_int_equal(moved[i], 0x5a);
        assert_sound(heap);
        heap_free(heap, moved, CALLER);
        heap_free(heap, behind, CALLER);
    }
}

/* A heap of 1 MiB, in which 64 KiB from the start there is an address aligned to 4 MiB. */
static struct heap *start_before_round_address(struct fixture *fixture)
{
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, 8 * MIB);
    configuration.base = fixture->arena.base + 4 * MIB - 65536;
    configuration.initial_bytes = MIB;
    configuration.limit_bytes = MIB;
    return start(fixture, configuration);
}

/* An address may be aligned to more than the request, even to more than the heap's limit. A
 * re-allocation keeps the requested alignment. */
static void test_K15_an_alignment_by_chance_has_no_effect(void **state)
{
    struct fixture *fixture = *state;
    static const size_t sizes[] = {1, 50, 100, 200, 5000};
    for (size_t alignment = 4096; alignment <= MIB / 2; alignment *= 2) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct heap *heap = start_before_round_address(fixture);
            (void)allocate(heap, 65000);
            uint8_t *block = heap_allocate_aligned(heap, 100, alignment, CALLER);
            assert_int_equal((uintptr_t)block % (4 * MIB), 0);
            /* Too large for the free memory before the block. */
            if (!heap_frees_newest_only(heap))
                assert_true((uint8_t *)allocate(heap, 1000) > block);
            block = heap_reallocate(heap, block, sizes[s], CALLER);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % alignment, 0);
            assert_int_equal(statistics_of(heap).failure_count, 0);
            assert_sound(heap);
        }
    }
}

/* Size and alignment together are more than the limit, which matters only to a block that moves. */
static void test_K15_growth_without_moving(void **state)
{
    struct heap *heap = start_before_round_address(*state);
    (void)allocate(heap, 65000);
    uint8_t *block = heap_allocate_aligned(heap, 100, MIB / 2, CALLER);
    assert_non_null(block);
    for (size_t size_bytes = 500000; size_bytes <= 900000; size_bytes += 50000)
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 900000);
    assert_int_equal(statistics_of(heap).failure_count, 0);
    assert_sound(heap);
}

/* This is only true without the layer of heap_debug.h, which moves a block to find stale
 * pointers. */
static bool grows_in_place(const struct fixture *fixture)
{
    return !fixture->debug || fixture->policy->frees_newest_only;
}

static void fill_with_pattern(uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        block[i] = (uint8_t)(i % 251);
}

static void assert_pattern(const uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        assert_int_equal(block[i], i % 251);
}

/* The last block grows. The heap grows by the bytes that the block lacks, with much or little free
 * memory at its end, and nothing is copied. */
static void test_K15_the_last_block_grows_with_the_heap(void **state)
{
    struct fixture *fixture = *state;
    for (size_t step_bytes = 1000; step_bytes <= MIB; step_bytes += 60000) {
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        if (!grows_in_place(fixture))
            return;
        (void)allocate(heap, 100);
        size_t size_bytes = 3000;
        uint8_t *block = allocate(heap, size_bytes);
        fill_with_pattern(block, size_bytes);
        for (unsigned n = 0; n < 6; n++) {
            size_bytes += step_bytes;
            assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
        }
        assert_pattern(block, 3000);
        memset(block, 0xff, size_bytes);
        assert_true(heap_size_bytes(heap) < size_bytes + MIB / 4);
        assert_int_equal(fixture->arena.usable_bytes, heap_size_bytes(heap));
        assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
        struct heap_statistics statistics = statistics_of(heap);
        assert_int_equal(statistics.used_bytes, 100 + size_bytes);
        assert_int_equal(statistics.peak_used_bytes, 100 + size_bytes);
        assert_int_equal(statistics.live_block_count, 2);
        assert_int_equal(statistics.allocation_count, 2);
        assert_int_equal(statistics.free_count + statistics.failure_count, 0);
        assert_sound(heap);
    }
}

/* It grows up to the last byte of a heap at its limit, and not further. */
static void test_K12_the_last_block_grows_up_to_the_limit(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    size_t most_bytes = statistics_of(heap).largest_free_bytes;
    heap = start_growing(fixture, MIB);
    uint8_t *block = allocate(heap, 5000);
    fill_with_pattern(block, 5000);
    size_t heap_bytes = heap_size_bytes(heap);
    assert_null(heap_reallocate(heap, block, most_bytes + 1, CALLER));
    assert_int_equal(heap_size_bytes(heap), heap_bytes);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 5000);
    assert_ptr_equal(heap_reallocate(heap, block, most_bytes, CALLER), block);
    assert_int_equal(heap_size_bytes(heap), MIB);
    assert_pattern(block, 5000);
    memset(block, 0xff, most_bytes);
    assert_sound(heap);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* The page source has exactly the pages that are needed, and then no pages. */
static void test_K11_the_last_block_uses_the_memory_that_is_left(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (!grows_in_place(fixture))
        return;
    uint8_t *block = allocate(heap, 5000);
    fill_with_pattern(block, 5000);
    for (size_t page_count = 1; page_count < 20; page_count += 3) {
        size_t rest_bytes = statistics_of(heap).largest_free_bytes;
        size_t pages_bytes = page_count * HEAP_PAGE_SIZE_BYTES;
        size_t size_bytes = heap_usable_size(heap, block, CALLER) + rest_bytes + pages_bytes - 200;
        size_t heap_bytes = heap_size_bytes(heap);
        fixture->arena.budget_bytes = heap_bytes + pages_bytes - HEAP_PAGE_SIZE_BYTES;
        assert_null(heap_reallocate(heap, block, size_bytes, CALLER));
        assert_int_equal(heap_size_bytes(heap), heap_bytes);
        assert_pattern(block, 5000);
        assert_sound(heap);
        fixture->arena.budget_bytes = heap_bytes + pages_bytes;
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
        assert_int_equal(heap_size_bytes(heap), heap_bytes + pages_bytes);
        assert_pattern(block, 5000);
        assert_sound(heap);
    }
}

/* The heap cannot grow: the block moves to free memory, or stays unchanged. */
static void test_K11_the_last_block_moves_if_the_heap_cannot_grow(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (!grows_in_place(fixture))
        return;
    bool moves = !heap_frees_newest_only(heap);
    uint8_t *hole = allocate(heap, 500000);
    (void)allocate(heap, 5000);
    uint8_t *block = allocate(heap, 200000);
    fill_with_pattern(block, 200000);
    if (moves)
        heap_free(heap, hole, CALLER);
    fixture->arena.budget_bytes = fixture->arena.usable_bytes;
    assert_null(heap_reallocate(heap, block, 700000, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 1);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 200000);
    assert_pattern(block, 200000);
    assert_sound(heap);
    uint8_t *moved = heap_reallocate(heap, block, 450000, CALLER);
    assert_ptr_equal(moved, moves ? hole : NULL);
    assert_pattern(moves ? moved : block, 200000);
    assert_sound(heap);
}

/* A live block follows, directly or behind a free block that is too small. The heap does not grow,
 * since a hole has room. */
static void assert_block_before_another(struct fixture *fixture, bool has_gap)
{
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    bool moves = !heap_frees_newest_only(heap);
    uint8_t *hole = allocate(heap, 500000);
    uint8_t *block = allocate(heap, 200000);
    fill_with_pattern(block, 200000);
    uint8_t *gap = allocate(heap, 20000);
    uint8_t *last = allocate(heap, 5000);
    fill_with_pattern(last, 5000);
    if (moves)
        heap_free(heap, hole, CALLER);
    if (moves && has_gap)
        heap_free(heap, gap, CALLER);
    unsigned grow_count = fixture->arena.grow_count;
    uint8_t *moved = heap_reallocate(heap, block, 400000, CALLER);
    assert_true((moved != NULL) == moves);
    if (!fixture->debug)
        assert_ptr_equal(moved, moves ? hole : NULL);
    if (!fixture->debug || !moves)
        assert_int_equal(fixture->arena.grow_count, grow_count);
    assert_pattern(moves ? moved : block, 200000);
    assert_pattern(last, 5000);
    assert_sound(heap);
}

static void test_K15_a_block_before_another_does_not_grow_the_heap(void **state)
{
    assert_block_before_another(*state, false);
    assert_block_before_another(*state, true);
}

/* A free block follows, and a live block behind it. */
static void test_K15_growth_into_a_free_block_behind(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (fixture->debug || heap_frees_newest_only(heap))
        return;
    uint8_t *block = allocate(heap, 5000);
    fill_with_pattern(block, 5000);
    void *behind = allocate(heap, 2 * MIB);
    uint8_t *last = allocate(heap, 5000);
    fill_with_pattern(last, 5000);
    heap_free(heap, behind, CALLER);
    unsigned grow_count = fixture->arena.grow_count;
    for (size_t size_bytes = 50000; size_bytes < 2 * MIB; size_bytes *= 2)
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
    assert_ptr_equal(heap_reallocate(heap, block, 2 * MIB + 5000, CALLER), block);
    assert_int_equal(fixture->arena.grow_count, grow_count);
    assert_pattern(block, 5000);
    memset(block, 0xff, 2 * MIB + 5000);
    assert_pattern(last, 5000);
    assert_sound(heap);
}

/* The block grows by a step of the heap, which is enough to be given back. */
static void test_growth_behind_a_block_does_not_go_back_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (!grows_in_place(fixture))
        return;
    size_t size_bytes = 6 * MIB;
    uint8_t *block = allocate(heap, size_bytes);
    for (unsigned n = 0; n < 20; n++) {
        size_bytes += HEAP_PAGE_SIZE_BYTES;
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
    }
    assert_int_equal(fixture->arena.shrink_count, 0);
    assert_true(fixture->arena.grow_count <= 3);
    assert_ptr_equal(heap_reallocate(heap, block, 5000, CALLER), block);
    assert_int_equal(fixture->arena.shrink_count, 1);
    assert_sound(heap);
}

/* A block grows into new pages and writes to them. They are not zero when they are free again. */
static void test_K19_zeros_behind_a_block_that_grew(void **state)
{
    struct fixture *fixture = *state;
    for (size_t grown_bytes = 70000; grown_bytes < 400000; grown_bytes += 30000) {
        struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
        heap_arena_track_fresh(&fixture->arena, &configuration, 0);
        struct heap *heap = start(fixture, configuration);
        uint8_t *block = allocate(heap, 3000);
        block = heap_reallocate(heap, block, grown_bytes, CALLER);
        assert_non_null(block);
        memset(block, 0xcd, grown_bytes);
        block = heap_reallocate(heap, block, 3000, CALLER);
        assert_non_null(block);
        uint8_t *zeros = heap_allocate_zeroed(heap, 1, 600000, CALLER);
        assert_non_null(zeros);
        for (size_t i = 0; i < 600000; i++)
            assert_int_equal(zeros[i], 0);
        assert_sound(heap);
    }
}

/* There is no room to move, but the block can still shrink. */
static void test_K15_smaller_never_fails(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t *blocks[600];
    for (size_t from = 1; from <= 600; from += from < 100 ? 9 : 77) {
        for (size_t to = 1; to <= from; to += to < 20 ? 3 : from / 5 + 1) {
            struct heap *heap = start_fixed(fixture, 2 * MIB);
            for (unsigned i = 0; i < 600; i++)
                blocks[i] = memset(allocate(heap, from), 0x41, from);
            for (size_t size_bytes = MIB; size_bytes > 0; size_bytes /= 2) {
                while (heap_allocate(heap, size_bytes, CALLER) != NULL)
                    continue;
            }
            assert_null(heap_allocate(heap, 0, CALLER));
            uint64_t failure_count = statistics_of(heap).failure_count;
            for (unsigned i = 0; i < 600; i++) {
                uint8_t *block = heap_reallocate(heap, blocks[i], to, CALLER);
                assert_non_null(block);
                assert_int_equal(heap_usable_size(heap, block, CALLER), to);
                for (size_t k = 0; k < to; k++)
                    assert_int_equal(block[k], 0x41);
            }
            assert_int_equal(statistics_of(heap).failure_count, failure_count);
            assert_sound(heap);
        }
    }
}

/* Precondition: the heap is full. */
static void shrink_in_full_heap(struct heap *heap, uint8_t *block, size_t old_bytes,
                                size_t size_bytes)
{
    uint64_t failure_count = statistics_of(heap).failure_count;
    uint8_t *shrunk = heap_reallocate(heap, block, size_bytes, CALLER);
    assert_non_null(shrunk);
    assert_int_equal(heap_usable_size(heap, shrunk, CALLER), size_bytes);
    assert_int_equal(statistics_of(heap).failure_count, failure_count);
    for (size_t i = 0; i < size_bytes; i++)
        assert_int_equal(shrunk[i], (uint8_t)(old_bytes + i));
    memset(shrunk, 0x20, size_bytes);
    assert_sound(heap);
}

/* Allocate a block, and many others of its size, with numbered bytes, until no memory is left. */
static uint8_t *block_in_full_heap(struct fixture *fixture, size_t old_bytes, unsigned population)
{
    struct heap *heap = start_fixed(fixture, 2 * MIB);
    populate(heap, old_bytes, old_bytes <= 512 ? population : 150);
    uint8_t *block = allocate(heap, old_bytes);
    for (size_t i = 0; i < old_bytes; i++)
        block[i] = (uint8_t)(old_bytes + i);
    fill(heap);
    return block;
}

/* Alignments that are too large for a header. The address may have an even larger one. The block is
 * re-allocated with the requested alignment. */
static void test_K15_K16_large_alignments_are_kept(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    for (size_t alignment_bytes = MIB / 4; alignment_bytes <= MIB; alignment_bytes *= 2) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        uint8_t *block = heap_allocate_aligned(heap, 100, alignment_bytes, CALLER);
        assert_non_null(block);
        for (size_t size_bytes = 50; size_bytes < MIB; size_bytes = size_bytes * 3 + 1) {
            (void)allocate(heap, 100);
            block = heap_reallocate(heap, block, size_bytes, CALLER);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % alignment_bytes, 0);
            assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
            memset(block, 0xff, size_bytes);
            assert_sound(heap);
        }
    }
    /* The address has a larger alignment, and the heap has no second such address. */
    uintptr_t place = ((uintptr_t)fixture->arena.base + 65536 + 4 * MIB - 1) & -(4 * MIB);
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, ARENA_BYTES);
    configuration.base = (void *)(place - 65536);
    configuration.initial_bytes = configuration.limit_bytes = 2 * MIB;
    struct heap *heap = start(fixture, configuration);
    void *block = heap_allocate_aligned(heap, 100, MIB / 2, CALLER);
    assert_ptr_equal(block, (void *)place);
    assert_true((uintptr_t)allocate(heap, 100000) > place);
    block = heap_reallocate(heap, block, 200, CALLER);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % (MIB / 2), 0);
}

/* A block that becomes smaller needs no memory, so this never fails. */
static void test_K15_to_become_smaller_never_fails(void **state)
{
    static const size_t old_sizes[] = {2, 16, 17, 32, 48, 64, 255, 256, 512, 600, 1039, 1040, 5000};
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < sizeof old_sizes / sizeof old_sizes[0]; s++) {
        for (size_t p = 0; p < POPULATION_COUNT; p++) {
            size_t old_bytes = old_sizes[s];
            uint8_t *block = block_in_full_heap(fixture, old_bytes, POPULATIONS[p]);
            struct heap *heap = fixture->heap;
            size_t size_bytes = old_bytes - 1 - (old_bytes * 7 + p) % (old_bytes - 1);
            shrink_in_full_heap(heap, block, old_bytes, size_bytes);
            /* It is a usual block: it can be freed, and its size is known. */
            heap_free(heap, block, CALLER);
            assert_int_equal(fixture->arena.fault_count, 0);
            assert_sound(heap);
        }
    }
}

/* In the place of a shortened block, a block of the old size has its full size. */
static void test_K15_a_shortened_block_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        size_t old_bytes = SIZES[s];
        for (size_t p = 0; p < POPULATION_COUNT && old_bytes >= 2; p++) {
            uint8_t *block = block_in_full_heap(fixture, old_bytes, POPULATIONS[p]);
            struct heap *heap = fixture->heap;
            block = heap_reallocate(heap, block, old_bytes / 2, CALLER);
            assert_non_null(block);
            heap_free(heap, block, CALLER);
            uint8_t *again = heap_allocate(heap, old_bytes, CALLER);
            if (again == NULL)
                continue;
            memset(again, 0xff, old_bytes);
            assert_int_equal(heap_usable_size(heap, again, CALLER), old_bytes);
            assert_sound(heap);
            heap_free(heap, again, CALLER);
            assert_int_equal(fixture->arena.fault_count, 0);
        }
    }
}

/* The slot of a dissolved slab, between two live slots, leaves a free block that is this much
 * shorter. */
#define DISSOLVED_LOSS_BYTES 24

/* Only the place of one block is free. It serves every smaller block, and reports the right size.
 */
static void test_one_free_block_serves_all_that_fit(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < POPULATION_COUNT; p++) {
            uint8_t *only_free = block_in_full_heap(fixture, SIZES[s], POPULATIONS[p]);
            struct heap *heap = fixture->heap;
            heap_free(heap, only_free, CALLER);
            if (fixture->debug)
                heap_trim(heap);
            size_t most_bytes = statistics_of(heap).largest_free_bytes;
            assert_true(most_bytes + DISSOLVED_LOSS_BYTES >= SIZES[s]);
            most_bytes = most_bytes < SIZES[s] ? most_bytes : SIZES[s];
            for (size_t size_bytes = 0; size_bytes <= most_bytes; size_bytes += SIZES[s] / 5 + 1) {
                uint8_t *block = allocate(heap, size_bytes);
                memset(block, 0xff, size_bytes);
                assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
                assert_sound(heap);
                heap_free(heap, block, CALLER);
                if (fixture->debug)
                    heap_trim(heap);
            }
            assert_sound(heap);
        }
    }
}

/* A short block can get each smaller size, and each byte behind it is checked. */
static void test_K8_K15_a_shortened_block_is_watched(void **state)
{
    static const size_t old_sizes[] = {16, 32, 64, 512, 600, 1000};
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < sizeof old_sizes / sizeof old_sizes[0]; s++) {
        for (size_t p = 1; p < POPULATION_COUNT; p++) {
            size_t old_bytes = old_sizes[s];
            uint8_t *block = block_in_full_heap(fixture, old_bytes, POPULATIONS[p]);
            struct heap *heap = fixture->heap;
            size_t step_bytes = old_bytes / 9 + 1;
            for (size_t size_bytes = old_bytes - 1; size_bytes > step_bytes;
                 size_bytes -= step_bytes) {
                block = heap_reallocate(heap, block, size_bytes, CALLER);
                assert_non_null(block);
                assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
                assert_sound(heap);
            }
            size_t size_bytes = heap_usable_size(heap, block, CALLER);
            block[size_bytes] = 'x';
            assert_non_null(heap_check(heap));
            heap_free(heap, block, OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_OVERRUN);
            assert_int_equal(fixture->arena.fault.size_bytes, size_bytes);
        }
    }
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_K15_reallocation_of_null_and_to_zero),
    TEST(test_K15_every_pair_of_sizes_keeps_the_content),
    TEST(test_K15_one_byte_less_in_a_population),
    TEST(test_K15_K16_large_alignments_are_kept),
    TEST(test_K15_to_become_smaller_never_fails),
    TEST(test_K15_a_shortened_block_leaves_nothing),
    TEST(test_one_free_block_serves_all_that_fit),
    TEST(test_K8_K15_a_shortened_block_is_watched),
    TEST(test_K15_failure_leaves_the_old_block),
    TEST_OF_POLICY(test_K15_move_that_finds_a_fault_fails),
    TEST_OF_POLICY(test_K15_growth_that_finds_a_fault_moves_nothing),
    TEST(test_K15_a_block_moves_to_the_memory_before_it),
    TEST(test_K15_reallocation_keeps_the_alignment),
    TEST(test_K15_an_alignment_by_chance_has_no_effect),
    TEST(test_K15_growth_without_moving),
    TEST(test_K15_the_last_block_grows_with_the_heap),
    TEST(test_K12_the_last_block_grows_up_to_the_limit),
    TEST(test_K11_the_last_block_uses_the_memory_that_is_left),
    TEST(test_K11_the_last_block_moves_if_the_heap_cannot_grow),
    TEST(test_K15_a_block_before_another_does_not_grow_the_heap),
    TEST(test_K15_growth_into_a_free_block_behind),
    TEST(test_growth_behind_a_block_does_not_go_back_at_once),
    TEST(test_K19_zeros_behind_a_block_that_grew),
    TEST(test_K15_smaller_never_fails),
};

int main(void)
{
    return heap_policy_test_run("heap re-allocation", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
