/* Blocks between guard pages: their places, misuse, samples, views and incidents. The tests run
 * over each policy that may have them, with and without the layer of heap_debug.h. Catalogue group
 * K. */
#include "kernel/mm/heap/include/handoff/heap_leaks.h"
#include "tests/unit/support/guarded_test.h"

/* --- The places of blocks --------------------------------------------------------------------- */

static void test_large_block_lies_between_guard_pages(void **state)
{
    static const size_t SIZES[] = {LARGE_BYTES, 8193, 8208, 12287, 12288, 65536, 100001, 1000000};
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        uint8_t *block = allocate_guarded(heap, SIZES[i]);
        assert_guarded(fixture, block, SIZES[i], 16);
        assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[i]);
        memset(block, 0x5a, SIZES[i]);
        assert_sound(heap);
        heap_free(heap, block, CALLER);
        assert_true(heap_arena_is_guarded(&fixture->arena, block, SIZES[i]));
        assert_sound(heap);
    }
    assert_false(is_guarded(heap, allocate(heap, LARGE_BYTES - 1)));
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_every_alignment(void **state)
{
    static const size_t SIZES[] = {0, 1, 15, 16, 17, 100, 4080, 4095, 4096, 4097, 8192, 70000};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        struct heap *heap = start(fixture, 1);
        for (size_t alignment = 1; alignment <= MIB / 4; alignment *= 2) {
            uint8_t *block = heap_allocate_aligned(heap, SIZES[i], alignment, CALLER);
            assert_non_null(block);
            bool has_place =
                SIZES[i] >= LARGE_BYTES || (SIZES[i] <= PAGE_BYTES && alignment <= PAGE_BYTES);
            assert_int_equal(is_guarded(heap, block), has_place);
            assert_int_equal((uintptr_t)block % alignment, 0);
            if (has_place)
                assert_guarded(fixture, block, SIZES[i], alignment < 16 ? 16 : alignment);
            memset(block, 0xa5, SIZES[i]);
            uint8_t *moved = heap_reallocate(heap, block, 9000, CALLER);
            assert_non_null(moved);
            assert_int_equal((uintptr_t)moved % alignment, 0);
            heap_free(heap, moved, CALLER);
            assert_sound(heap);
        }
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_int_equal(statistics_of(heap).live_block_count, 0);
    }
}

static void test_requests_that_are_none_are_refused(void **state)
{
    static const size_t ALIGNMENTS[] = {0, 3, 24, SIZE_MAX};
    struct heap *heap = start(*state, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_null(heap_allocate_aligned(heap, 100, ALIGNMENTS[i], CALLER));
        assert_null(heap_allocate_aligned(heap, 10000, ALIGNMENTS[i], CALLER));
    }
    assert_null(heap_allocate(heap, SIZE_MAX, CALLER));
    assert_null(heap_allocate(heap, SIZE_MAX - PAGE_BYTES, CALLER));
    assert_null(heap_allocate_aligned(heap, 10000, (size_t)1 << 63, CALLER));
    assert_null(heap_allocate_aligned(heap, SIZE_MAX / 2, SIZE_MAX / 2 + 1, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 12);
    assert_int_equal(statistics_of(heap).unguarded_count, 0);
    assert_sound(heap);
}

/* --- Misuse ----------------------------------------------------------------------------------- */

static const char BEFORE[] = "the bytes before the block were overwritten";
static const char BEHIND[] = "the bytes behind the block were overwritten";

static void assert_overrun_is_found(struct fixture *fixture, size_t size_bytes, size_t alignment,
                                    ptrdiff_t distance, uint8_t value)
{
    struct heap *heap = start(fixture, 1);
    uint8_t *block = heap_allocate_aligned(heap, size_bytes, alignment, CALLER);
    assert_guarded(fixture, block, size_bytes, alignment);
    memset(block, 0, size_bytes);
    block[distance] = value;
    assert_string_equal(heap_check(heap), distance < 0 ? BEFORE : BEHIND);
    heap_free(heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN, distance < 0 ? BEFORE : BEHIND, block, block,
                 size_bytes);
    assert_null(heap_allocate(heap, 10000, CALLER));
}

/* Each byte of the block's pages outside of the block, and the usual bytes of overruns.
 */
static void test_K8_bytes_around_a_block_are_checked(void **state)
{
    static const uint8_t VALUES[] = {0, 1, 'A', 0x7f, 0x80, 0xff};
    static const size_t SIZES[] = {0, 1, 100, 4090, 8200};
    static const size_t ALIGNMENTS[] = {16, 64, 4096};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        for (size_t k = 0; k < 3; k++) {
            size_t room = (PAGE_BYTES - SIZES[i] % PAGE_BYTES) % PAGE_BYTES;
            size_t behind = -SIZES[i] & (ALIGNMENTS[k] - 1);
            if (SIZES[i] == 0)
                behind = ALIGNMENTS[k];
            assert_true(behind <= room || SIZES[i] == 0);
            for (size_t n = 0; n < behind; n += n < 16 ? 1 : 511)
                assert_overrun_is_found(*state, SIZES[i], ALIGNMENTS[k], (ptrdiff_t)(SIZES[i] + n),
                                        VALUES[n % 6]);
            size_t before = (SIZES[i] == 0 ? PAGE_BYTES : room) - behind;
            for (size_t n = 1; n <= before; n += n < 16 ? 1 : 509)
                assert_overrun_is_found(*state, SIZES[i], ALIGNMENTS[k], -(ptrdiff_t)n,
                                        VALUES[n % 6]);
        }
    }
}

static void test_K4_double_free(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 1);
    static const size_t SIZES[] = {0, 40, 10000};
    for (size_t i = 0; i < 3; i++) {
        uint8_t *block = allocate_guarded(heap, SIZES[i]);
        heap_free(heap, block, (void *)0x3333);
        allocate_guarded(heap, SIZES[i]);
        heap_free(heap, block, OTHER_CALLER);
        assert_ptr_equal(fixture->arena.fault.freed_by, (void *)0x3333);
        assert_true(fixture->arena.fault.is_free);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, "the block is already free", block, block,
                     SIZES[i]);
        assert_null(heap_reallocate(heap, block, 20000, OTHER_CALLER));
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, "the block is already free", block, block,
                     SIZES[i]);
        assert_int_equal(heap_usable_size(heap, block, OTHER_CALLER), 0);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, "the block is already free", block, block,
                     SIZES[i]);
        heap_free(heap, block + 1, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, "the pointer is into memory that was freed",
                     block + 1, block, SIZES[i]);
    }
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).live_block_count, 3);
}

static void test_K5_K7_pointers_that_are_no_block(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *block = allocate_guarded(heap, 10000);
    const struct guarded *guarded = guarded_of(heap);
    uint8_t *const insides[] = {block + 1,  block + 16,        block - 1,
                                block - 16, block + 10000 - 1, page_of(block) - PAGE_BYTES};
    for (size_t i = 0; i < sizeof insides / sizeof insides[0]; i++) {
        heap_free(heap, insides[i], OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER, "the pointer is not the start of a block",
                     insides[i], block, 10000);
    }
    uint8_t *const nowhere[] = {(uint8_t *)guarded->base, (uint8_t *)guarded->lanes_start - 16,
                                (uint8_t *)guarded->lanes_start, block + 100000,
                                (uint8_t *)guarded->base + guarded->window_bytes - 16};
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        heap_free(heap, nowhere[i], OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER, "no block was ever at the pointer",
                     nowhere[i], NULL, 0);
    }
    /* Outside of the window the policy validates the pointer. */
    heap_free(heap, (uint8_t *)guarded->base + guarded->window_bytes, OTHER_CALLER);
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_BAD_POINTER);
    fixture->arena.fault_count = 0;
    assert_sound(heap);
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* A block that the policy serves, and that was overrun, does not become a large one. */
static void test_K8_overrun_block_does_not_move(void **state)
{
    static const size_t SIZES[] = {50, 1000, 5000};
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 3; i++) {
        for (int behind = 0; behind < 2; behind++) {
            struct heap *heap = start(fixture, 0);
            uint8_t *block = allocate(heap, SIZES[i]);
            block[behind == 1 ? (ptrdiff_t)SIZES[i] : -1] ^= 0xff;
            assert_null(heap_reallocate(heap, block, 20000, OTHER_CALLER));
            assert_int_equal(fixture->arena.fault_count, 1);
            assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_OVERRUN);
            assert_int_equal(guarded_of(heap)->live_count, 0);
            fixture->arena.fault_count = 0;
        }
    }
}

/* A pointer that the policy refuses is reported once, although the policy is called twice. */
static void test_bad_pointer_to_a_large_size(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *block = allocate(heap, 100);
    assert_null(heap_reallocate(heap, block + 16, 20000, OTHER_CALLER));
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_sound(heap);
}

/* --- Sampling --------------------------------------------------------------------------------- */

static void test_samples(void **state)
{
    static const uint64_t INTERVALS[] = {1, 2, 10, 100};
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 4; i++) {
        struct heap *heap = start(fixture, INTERVALS[i]);
        unsigned sampled_count = 0;
        for (unsigned n = 0; n < 500 * INTERVALS[i]; n++) {
            uint8_t *block = n % 2 == 0 ? allocate(heap, n % 300)
                                        : heap_allocate_aligned(heap, n % 300, 64, CALLER);
            sampled_count += is_guarded(heap, block);
            heap_free(heap, block, CALLER);
        }
        assert_in_range(sampled_count, INTERVALS[i] == 1 ? 500 : 440,
                        INTERVALS[i] == 1 ? 500 : 560);
        assert_int_equal(statistics_of(heap).sampled_count, sampled_count);
        assert_sound(heap);
    }
    struct heap *heap = start(fixture, 0);
    for (unsigned n = 0; n < 10000; n++) {
        uint8_t *block = allocate(heap, 100);
        assert_false(is_guarded(heap, block));
        heap_free(heap, block, CALLER);
    }
}

/* A block that is longer than a page, and not large, is not sampled: the next block is. */
/* Twice the interval does not wrap to 1, which would make each block a sample. */
static void test_interval_beyond_all_blocks(void **state)
{
    struct heap *heap = start(*state, (UINT64_C(1) << 63) + 1);
    for (unsigned i = 0; i < 100; i++)
        (void)allocate(heap, 100);
    assert_int_equal(statistics_of(heap).sampled_count, 0);
    assert_sound(heap);
}

/* Even if each small block is a sample, the policy keeps most of the memory. */
static void test_samples_leave_the_policy_its_memory(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration configuration = configure(fixture, WINDOW_BYTES, LARGE_BYTES, 1);
    configuration.limit_bytes = MIB;
    fixture->arena.budget_bytes = MIB;
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    uint8_t *first = allocate_guarded(heap, 400);
    while (heap_allocate(heap, 400, CALLER) != NULL)
        continue;
    struct heap_statistics statistics = statistics_of(heap);
    assert_true(statistics.used_bytes > MIB / 2);
    assert_int_equal(statistics.guarded_block_count, MIB / 4 / PAGE_BYTES);
    assert_int_equal(statistics.unguarded_count,
                     statistics.live_block_count - statistics.guarded_block_count);
    heap_free(heap, first, CALLER);
    (void)allocate_guarded(heap, 400);
    assert_sound(heap);
}

static void test_sample_waits_for_a_small_block(void **state)
{
    struct heap *heap = start(*state, 1);
    assert_false(is_guarded(heap, allocate(heap, PAGE_BYTES + 1)));
    assert_false(is_guarded(heap, allocate(heap, LARGE_BYTES - 1)));
    allocate_guarded(heap, PAGE_BYTES);
    assert_sound(heap);
}

/* --- Views ------------------------------------------------------------------------------------ */

static void test_statistics_are_exact(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    size_t size_before = statistics_of(heap).size_bytes;
    uint8_t *first = allocate_guarded(heap, 10000);
    uint8_t *second = allocate_guarded(heap, 8192);
    struct heap_statistics statistics = statistics_of(heap);
    assert_int_equal(statistics.used_bytes, 18192);
    assert_int_equal(statistics.peak_used_bytes, 18192);
    assert_int_equal(statistics.live_block_count, 2);
    assert_int_equal(statistics.guarded_block_count, 2);
    /* 3 and 2 pages, and a page of records in each of two lanes: places of 4 pages for both. */
    assert_int_equal(statistics.guarded_bytes, 6 * PAGE_BYTES);
    assert_int_equal(statistics.size_bytes, size_before + 6 * PAGE_BYTES);
    assert_int_equal(statistics.size_bytes,
                     statistics.used_bytes + statistics.free_bytes + statistics.overhead_bytes);
    heap_free(heap, first, CALLER);
    heap_free(heap, second, CALLER);
    statistics = statistics_of(heap);
    assert_int_equal(statistics.used_bytes, 0);
    assert_int_equal(statistics.allocation_count, 2);
    assert_int_equal(statistics.free_count, 2);
    assert_int_equal(statistics.guarded_bytes, PAGE_BYTES);
}

/* The caller of a guarded block is recorded with every policy. */
static void test_leaks_name_the_caller(void **state)
{
    struct heap *heap = start(*state, 0);
    for (unsigned i = 0; i < 3; i++)
        allocate_guarded(heap, 10000);
    assert_non_null(heap_allocate(heap, 20000, OTHER_CALLER));
    struct heap_leaks leaks;
    heap_leaks_find(heap, &leaks);
    assert_int_equal(leaks.site_count, 2);
    assert_ptr_equal(leaks.sites[0].allocated_by, CALLER);
    assert_int_equal(leaks.sites[0].block_count, 3);
    assert_int_equal(leaks.sites[0].used_bytes, 30000);
    assert_ptr_equal(leaks.sites[1].allocated_by, OTHER_CALLER);
}

static void test_check_compares_records_with_the_state(void **state)
{
    struct heap *heap = start(*state, 0);
    uint8_t *block = allocate_guarded(heap, 10000);
    heap_free(heap, allocate_guarded(heap, 10000), CALLER);
    struct guarded *guarded = guarded_of(heap);
    struct guarded_lane *lane = &guarded->lanes[1];
    assert_int_equal(lane->touched_count, 2);
    size_t *const figures[] = {&guarded->usable_bytes, &guarded->live_count,
                               &lane->records[0].size_bytes};
    for (unsigned i = 0; i < 3; i++) {
        ++*figures[i];
        assert_non_null(heap_check(heap));
        --*figures[i];
        assert_sound(heap);
    }
    lane->newest_freed = 0;
    assert_string_equal(heap_check(heap), "the reuse queue does not end with the newest");
    lane->newest_freed = 1;
    lane->oldest_freed = 0;
    assert_string_equal(heap_check(heap), "a place in the reuse queue is not free");
    lane->oldest_freed = 1;
    lane->freed_count = 0;
    assert_string_equal(heap_check(heap), "a place was lost");
    lane->freed_count = 1;
    lane->records[0].block += 4 * PAGE_BYTES;
    assert_string_equal(heap_check(heap), "a guarded block is not in its place");
    lane->records[0].block -= 4 * PAGE_BYTES;
    assert_sound(heap);
    heap_free(heap, block, CALLER);
}

/* --- The block of a CPU fault ----------------------------------------------------------------- */

static void assert_incident(const struct heap *heap, const uint8_t *address,
                            enum guarded_incident_kind kind, size_t distance, const uint8_t *block,
                            size_t size_bytes)
{
    struct guarded_incident incident;
    assert_true(guarded_find_incident(heap, address, &incident));
    assert_int_equal(incident.kind, kind);
    assert_int_equal(incident.distance_bytes, distance);
    assert_ptr_equal(incident.block, block);
    assert_int_equal(incident.size_bytes, size_bytes);
    assert_ptr_equal(incident.allocated_by, block == NULL ? NULL : CALLER);
    assert_int_equal(incident.is_freed, kind == GUARDED_USE_FREED);
    assert_ptr_equal(incident.freed_by, kind == GUARDED_USE_FREED ? OTHER_CALLER : NULL);
}

static void test_incidents_name_the_block(void **state)
{
    struct heap *heap = start(*state, 0);
    const struct guarded *guarded = guarded_of(heap);
    struct guarded_incident incident;
    assert_incident(heap, (uint8_t *)guarded->base, GUARDED_NOWHERE, 0, NULL, 0);
    assert_incident(heap, (uint8_t *)guarded->lanes_start, GUARDED_NOWHERE, 0, NULL, 0);

    uint8_t *first = allocate_guarded(heap, 8192);
    uint8_t *second = allocate_guarded(heap, 8192);
    uint8_t *third = allocate_guarded(heap, 8200);
    assert_incident(heap, first, GUARDED_INSIDE, 0, first, 8192);
    assert_incident(heap, first + 8191, GUARDED_INSIDE, 8191, first, 8192);
    assert_incident(heap, first + 8192, GUARDED_BEHIND, 1, first, 8192);
    assert_incident(heap, first + 8192 + 100, GUARDED_BEHIND, 101, first, 8192);
    assert_incident(heap, second - 1, GUARDED_BEFORE, 1, second, 8192);
    assert_incident(heap, third + 8200, GUARDED_BEHIND, 1, third, 8200);
    assert_incident(heap, third + 8208, GUARDED_BEHIND, 9, third, 8200);

    heap_free(heap, second, OTHER_CALLER);
    assert_incident(heap, second, GUARDED_USE_FREED, 0, second, 8192);
    assert_incident(heap, second + 8000, GUARDED_USE_FREED, 8000, second, 8192);
    assert_false(guarded_find_incident(heap, (uint8_t *)guarded->base - 1, &incident));
    assert_false(guarded_find_incident(heap, heap_base(heap), &incident));
}

/* Behind the last place of a lane is the next lane's first place, or no place. */
static void test_incident_behind_a_lane(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_configuration configuration =
        configure(fixture, GUARDED_WINDOW_MINIMUM_BYTES, 100, 0);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    assert_int_equal(guarded_of(heap)->lane_count, 2);
    uint8_t *block = NULL;
    for (unsigned i = 0; i < 8; i++)
        block = allocate_guarded(heap, 112);
    assert_incident(heap, block + 112, GUARDED_BEHIND, 1, block, 112);
    for (unsigned i = 0; i < 4; i++)
        block = allocate_guarded(heap, 8192);
    assert_incident(heap, block + 8192, GUARDED_BEHIND, 1, block, 8192);
}

/* --- Beginning -------------------------------------------------------------------------------- */

static void assert_status(struct fixture *fixture, const struct guarded_configuration *guarded,
                          enum heap_status status)
{
    struct heap *heap = NULL;
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    configuration.policy = fixture->stack->policy;
    configuration.guarded = guarded_layer(&fixture->arena.guarded, guarded);
    assert_int_equal(heap_initialise(&configuration, &heap), status);
}

static void test_K18_configurations_are_validated(void **state)
{
    struct fixture *fixture = *state;
    (void)configure(fixture, WINDOW_BYTES, LARGE_BYTES, 0);
    struct guarded_configuration guarded = fixture->arena.guarded_configuration;
    guarded.base = (uint8_t *)guarded.base + 16;
    assert_status(fixture, &guarded, HEAP_UNALIGNED);
    guarded.base = NULL;
    assert_status(fixture, &guarded, HEAP_TOO_SMALL);
    guarded.base = fixture->arena.guarded_base;
    guarded.window_bytes = WINDOW_BYTES + 16;
    assert_status(fixture, &guarded, HEAP_UNALIGNED);
    guarded.window_bytes = GUARDED_WINDOW_MINIMUM_BYTES - PAGE_BYTES;
    assert_status(fixture, &guarded, HEAP_TOO_SMALL);
    guarded.window_bytes = SIZE_MAX - PAGE_BYTES + 1;
    assert_status(fixture, &guarded, HEAP_TOO_LARGE);
    guarded.window_bytes = GUARDED_WINDOW_MINIMUM_BYTES;
    assert_status(fixture, &guarded, HEAP_OK);
}

/* A block between guard pages could be freed in any order, which a bump heap refuses. */
static void test_bump_has_no_guarded_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 1);
    uint8_t *older = allocate(heap, 100);
    uint8_t *newer = allocate(heap, 100000);
    assert_false(is_guarded(heap, older));
    assert_false(is_guarded(heap, newer));
    heap_free(heap, newer, CALLER);
    heap_free(heap, older, CALLER);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
    assert_sound(heap);
}

static const struct guarded_test TESTS[] = {
    TEST(test_large_block_lies_between_guard_pages),
    TEST(test_every_alignment),
    TEST(test_requests_that_are_none_are_refused),
    TEST(test_K8_bytes_around_a_block_are_checked),
    TEST(test_K4_double_free),
    TEST(test_K5_K7_pointers_that_are_no_block),
    TEST(test_K8_overrun_block_does_not_move),
    TEST(test_bad_pointer_to_a_large_size),
    TEST(test_samples),
    TEST(test_interval_beyond_all_blocks),
    TEST(test_samples_leave_the_policy_its_memory),
    TEST(test_sample_waits_for_a_small_block),
    TEST(test_statistics_are_exact),
    TEST(test_leaks_name_the_caller),
    TEST(test_check_compares_records_with_the_state),
    TEST(test_incidents_name_the_block),
    TEST(test_incident_behind_a_lane),
    TEST(test_K18_configurations_are_validated),
    TEST_OF_BUMP(test_bump_has_no_guarded_blocks),
};

int main(void)
{
    return guarded_test_run("guarded blocks", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
