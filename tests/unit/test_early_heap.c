/* Early heap: catalogue group B, and random operations compared with an oracle. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/early_heap.h"
#include "tests/unit/support/early_heap_operations.h"
#include "tests/unit/support/panic_stub.h"
#include "tests/unit/support/random.h"

#define REGION_SIZE_BYTES (256U * 1024U)
#define FOOTER_BYTES      8U

struct fixture {
    struct early_heap heap;
    unsigned char *region; /* page-aligned */
};

static int set_up(void **state)
{
    struct fixture *fixture = malloc(sizeof(*fixture));
    fixture->region = aligned_alloc(4096, REGION_SIZE_BYTES);
    memset(fixture->region, 0x5a, REGION_SIZE_BYTES);
    assert_int_equal(early_heap_initialise(&fixture->heap, virt_addr((uintptr_t)fixture->region),
                                           REGION_SIZE_BYTES),
                     EARLY_HEAP_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->region);
    free(fixture);
    return 0;
}

static void assert_sound(const struct early_heap *heap)
{
    const char *problem = early_heap_check(heap);
    if (problem != NULL)
        fail_msg("early_heap_check: %s", problem);
}

/* The call must fail, and every byte of the state must stay the same: case B12 for each of the
 * others.
 */
static void assert_refused(struct early_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
{
    struct early_heap before;
    memcpy(&before, heap, sizeof(before));
    assert_null(early_heap_allocate(heap, size_bytes, alignment_bytes));
    assert_memory_equal(&before, heap, sizeof(before));
    assert_null(early_heap_allocate_freeable(heap, size_bytes, alignment_bytes));
    assert_memory_equal(&before, heap, sizeof(before));
    assert_sound(heap);
}

static void test_B1_size_zero_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(&fixture->heap, 0, 8);
}

static void test_B2_bad_alignment_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(&fixture->heap, 8, 0);
    assert_refused(&fixture->heap, 8, 3);
    assert_refused(&fixture->heap, 8, 4097);
    assert_refused(&fixture->heap, 8, UINT64_MAX);
}

static void test_B3_alignment_beyond_the_region_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_non_null(early_heap_allocate(&fixture->heap, 1, 1));
    assert_refused(&fixture->heap, 8, UINT64_C(1) << 40);
    assert_refused(&fixture->heap, 8, UINT64_C(1) << 63);
}

static void test_B4_wrapping_size_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_non_null(early_heap_allocate(&fixture->heap, 24, 8));
    for (uint64_t below = 0; below < 64; below++) {
        assert_refused(&fixture->heap, UINT64_MAX - below, 1);
        assert_refused(&fixture->heap, UINT64_MAX - below, UINT64_C(1) << 63);
    }
}

static void test_B5_exact_fit_succeeds(void **state)
{
    struct fixture *fixture = *state;
    assert_ptr_equal(early_heap_allocate(&fixture->heap, REGION_SIZE_BYTES, 4096), fixture->region);
    assert_int_equal(early_heap_statistics(&fixture->heap).free_bytes, 0);
    assert_refused(&fixture->heap, 1, 1);
}

static void test_B5_exact_fit_of_a_freeable_block_succeeds(void **state)
{
    struct fixture *fixture = *state;
    unsigned char *block =
        early_heap_allocate_freeable(&fixture->heap, REGION_SIZE_BYTES - FOOTER_BYTES, 8);
    assert_ptr_equal(block, fixture->region);
    memset(block, 0xff, REGION_SIZE_BYTES - FOOTER_BYTES);
    assert_sound(&fixture->heap);
    early_heap_free(&fixture->heap, block);
    assert_int_equal(early_heap_statistics(&fixture->heap).used_bytes, 0);
}

static void test_B6_one_byte_more_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(&fixture->heap, REGION_SIZE_BYTES + 1, 1);
    assert_null(
        early_heap_allocate_freeable(&fixture->heap, REGION_SIZE_BYTES - FOOTER_BYTES + 1, 1));
    assert_non_null(early_heap_allocate(&fixture->heap, 1, 1));
    assert_refused(&fixture->heap, REGION_SIZE_BYTES, 1);
    assert_non_null(early_heap_allocate(&fixture->heap, REGION_SIZE_BYTES - 1, 1));
}

static void test_B7_misaligned_base_is_rounded_up(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(early_heap_initialise(&fixture->heap,
                                           virt_addr((uintptr_t)(fixture->region + 3)),
                                           REGION_SIZE_BYTES - 5),
                     EARLY_HEAP_OK);
    assert_int_equal(early_heap_statistics(&fixture->heap).size_bytes, REGION_SIZE_BYTES - 16);
    assert_ptr_equal(early_heap_allocate(&fixture->heap, 1, 1), fixture->region + 8);
    assert_refused(&fixture->heap, REGION_SIZE_BYTES - 16, 1);
}

static void test_B8_region_below_the_minimum_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap before;
    memcpy(&before, &fixture->heap, sizeof(before));
    assert_int_equal(
        early_heap_initialise(&fixture->heap, virt_addr((uintptr_t)fixture->region), 0),
        EARLY_HEAP_TOO_SMALL);
    assert_int_equal(
        early_heap_initialise(&fixture->heap, virt_addr((uintptr_t)(fixture->region + 1)), 6),
        EARLY_HEAP_TOO_SMALL);
    assert_int_equal(early_heap_initialise(&fixture->heap, virt_addr((uintptr_t)fixture->region),
                                           EARLY_HEAP_SIZE_MIN_BYTES - 1),
                     EARLY_HEAP_TOO_SMALL);
    /* Large enough, but not after rounding. */
    assert_int_equal(early_heap_initialise(&fixture->heap,
                                           virt_addr((uintptr_t)(fixture->region + 1)),
                                           EARLY_HEAP_SIZE_MIN_BYTES),
                     EARLY_HEAP_TOO_SMALL);
    assert_int_equal(early_heap_initialise(&fixture->heap, virt_addr((uintptr_t)fixture->region),
                                           EARLY_HEAP_SIZE_MAX_BYTES + 8),
                     EARLY_HEAP_TOO_LARGE);
    assert_memory_equal(&before, &fixture->heap, sizeof(before));
    assert_int_equal(early_heap_initialise(&fixture->heap, virt_addr((uintptr_t)fixture->region),
                                           EARLY_HEAP_SIZE_MIN_BYTES),
                     EARLY_HEAP_OK);
}

static void test_B9_region_at_the_end_of_the_address_space_does_not_wrap(void **state)
{
    struct early_heap heap;
    uintptr_t size_bytes = REGION_SIZE_BYTES;
    (void)state;
    /* The heap never accesses plain blocks, so the region need not be memory. */
    assert_int_equal(
        early_heap_initialise(&heap, virt_addr(UINTPTR_MAX - size_bytes + 1), size_bytes),
        EARLY_HEAP_WRAPS);
    assert_int_equal(early_heap_initialise(&heap, virt_addr(UINTPTR_MAX), UINT64_MAX),
                     EARLY_HEAP_WRAPS);
    assert_int_equal(early_heap_initialise(&heap, virt_addr(UINTPTR_MAX - 2), 2), EARLY_HEAP_WRAPS);
    assert_int_equal(early_heap_initialise(&heap, virt_addr(UINTPTR_MAX - size_bytes), size_bytes),
                     EARLY_HEAP_OK);
    assert_int_equal(early_heap_statistics(&heap).size_bytes, size_bytes - 8);
    assert_refused(&heap, size_bytes, 1);
    assert_refused(&heap, UINT64_MAX, 1);
    assert_refused(&heap, 1, UINT64_C(1) << 62);
    assert_non_null(early_heap_allocate(&heap, size_bytes - 8 - 1, 1));
    assert_refused(&heap, 2, 1);
    assert_refused(&heap, 1, 16);
    struct virt_range untouched = early_heap_retire(&heap);
    assert_true(virt_range_is_empty(untouched));
}

static void test_B10_use_after_retirement_panics(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    struct early_heap_mark mark = early_heap_mark(heap);
    void *block = early_heap_allocate_freeable(heap, 100, 8);
    struct virt_range untouched = early_heap_retire(heap);
    assert_int_equal(untouched.start.value, (uintptr_t)fixture->region + 4096);
    assert_int_equal(untouched.end.value, (uintptr_t)fixture->region + REGION_SIZE_BYTES);

    void *volatile ignored;
    expect_panic(PANIC_EARLY_HEAP_RETIRED, ignored = early_heap_allocate(heap, 1, 1));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, ignored = early_heap_allocate(heap, 0, 0));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, ignored = early_heap_allocate_freeable(heap, 1, 1));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, ignored = early_heap_allocate_or_panic(heap, 1, 1));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, early_heap_free(heap, block));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, early_heap_free(heap, NULL));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, (void)early_heap_mark(heap));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, early_heap_release(heap, mark));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, early_heap_begin_phase(heap, "late"));
    expect_panic(PANIC_EARLY_HEAP_RETIRED, untouched = early_heap_retire(heap));
    (void)ignored;
    assert_sound(heap);
    assert_int_equal(early_heap_statistics(heap).allocation_count, 1);
}

static void test_B10_retirement_returns_no_page_that_is_in_use(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(early_heap_initialise(&fixture->heap,
                                           virt_addr((uintptr_t)(fixture->region + 8)),
                                           REGION_SIZE_BYTES - 100),
                     EARLY_HEAP_OK);
    assert_non_null(early_heap_allocate(&fixture->heap, 8192 - 8, 8));
    assert_non_null(early_heap_allocate(&fixture->heap, 1, 1));
    struct virt_range untouched = early_heap_retire(&fixture->heap);
    assert_int_equal(untouched.start.value, (uintptr_t)fixture->region + 3 * 4096);
    assert_int_equal(untouched.end.value, (uintptr_t)fixture->region + REGION_SIZE_BYTES - 4096);
}

static void test_B11_exhaustion_panics_with_the_usage(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    void *volatile block = early_heap_allocate_or_panic(heap, 1000, 8);
    assert_ptr_equal(block, fixture->region);
    expect_panic(PANIC_EARLY_HEAP_EXHAUSTED,
                 block = early_heap_allocate_or_panic(heap, REGION_SIZE_BYTES, 16));
    assert_non_null(strstr(panic_stub.message, "262144 bytes aligned to 16"));
    assert_non_null(strstr(panic_stub.message, "used 1000 of 262144, free 261144, peak 1000"));
    assert_sound(heap);
}

static void test_B12_failed_calls_leave_the_state_unchanged(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    /* At every fill level, and so at every alignment of next. */
    for (unsigned step = 0; step < 40; step++) {
        assert_non_null(early_heap_allocate(heap, step % 13 + 1, 1));
        assert_refused(heap, heap->end.value - heap->next.value + 1, 1);
        assert_refused(heap, 0, 1);
        assert_refused(heap, 1, 6);
    }
}

static void test_B13_free_of_an_older_block_panics(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    void *older = early_heap_allocate_freeable(heap, 10, 1);
    void *newest = early_heap_allocate_freeable(heap, 10, 64);
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, older));
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, (char *)newest + 8));
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, &heap));
    assert_sound(heap);
    early_heap_free(heap, newest);
    early_heap_free(heap, older);
    assert_int_equal(early_heap_statistics(heap).used_bytes, 0);
    assert_int_equal(early_heap_statistics(heap).peak_bytes, 64 + 16 + FOOTER_BYTES);
}

static void test_B13_free_under_a_plain_block_panics(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    void *freeable = early_heap_allocate_freeable(heap, 10, 1);
    void *plain = early_heap_allocate(heap, 10, 1);
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, freeable));
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, plain));
    void *top = early_heap_allocate_freeable(heap, 10, 1);
    early_heap_free(heap, top);
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, plain));
    assert_sound(heap);
}

static void test_B13_free_of_a_block_older_than_a_mark_panics(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    void *older = early_heap_allocate_freeable(heap, 10, 1);
    struct early_heap_mark mark = early_heap_mark(heap);
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, older));
    void *newer = early_heap_allocate_freeable(heap, 10, 1);
    early_heap_free(heap, newer);
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, older));
    early_heap_release(heap, mark);
    early_heap_free(heap, older);
    assert_int_equal(early_heap_statistics(heap).used_bytes, 0);
}

static void test_B14_double_free_panics(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    void *first = early_heap_allocate_freeable(heap, 100, 8);
    void *second = early_heap_allocate_freeable(heap, 100, 8);
    early_heap_free(heap, second);
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, second));
    early_heap_free(heap, first);
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, first));
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, second));
    assert_sound(heap);
}

static void test_free_of_null_is_a_no_op(void **state)
{
    struct fixture *fixture = *state;
    early_heap_free(&fixture->heap, NULL);
    assert_sound(&fixture->heap);
}

static void test_overrun_into_the_footer_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    unsigned char *block = early_heap_allocate_freeable(heap, 16, 8);
    uint32_t footer[2];
    memcpy(footer, block + 16, sizeof(footer));
    memset(block, 0xff, 16 + FOOTER_BYTES);
    assert_non_null(early_heap_check(heap));
    expect_panic(PANIC_EARLY_HEAP_CORRUPT, early_heap_free(heap, block));
    /* The footer names the right block, but its previous block lies behind it. */
    footer[0] += 1;
    memcpy(block + 16, footer, sizeof(footer));
    assert_non_null(early_heap_check(heap));
    expect_panic(PANIC_EARLY_HEAP_CORRUPT, early_heap_free(heap, block));
}

static void test_freeable_blocks_have_the_promised_overhead(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    assert_non_null(early_heap_allocate_freeable(heap, 64, 8));
    assert_int_equal(early_heap_statistics(heap).used_bytes, 64 + FOOTER_BYTES);
    assert_non_null(early_heap_allocate(heap, 5, 1));
    assert_int_equal(early_heap_statistics(heap).used_bytes, 64 + FOOTER_BYTES + 5);
}

static void test_mark_and_release_restore_the_moment(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    void *kept = early_heap_allocate_freeable(heap, 100, 8);
    uint64_t used_bytes = early_heap_statistics(heap).used_bytes;
    struct early_heap_mark outer = early_heap_mark(heap);
    assert_non_null(early_heap_allocate(heap, 1000, 8));
    struct early_heap_mark inner = early_heap_mark(heap);
    assert_non_null(early_heap_allocate_freeable(heap, 3, 1));
    early_heap_release(heap, inner);
    assert_non_null(early_heap_allocate(heap, 7, 1));
    early_heap_release(heap, outer);
    assert_int_equal(early_heap_statistics(heap).used_bytes, used_bytes);
    /* Both marks are invalid now. */
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_release(heap, inner));
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_release(heap, outer));
    assert_sound(heap);
    early_heap_free(heap, kept);
    assert_int_equal(early_heap_statistics(heap).used_bytes, 0);
}

static void test_a_release_keeps_the_peak_and_the_counts(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    struct early_heap_mark first = early_heap_mark(heap);
    void *block = early_heap_allocate_freeable(heap, 100, 8);
    struct early_heap_mark second = early_heap_mark(heap);
    early_heap_release(heap, first);
    struct early_heap_statistics statistics = early_heap_statistics(heap);
    assert_int_equal(statistics.used_bytes, 0);
    assert_int_equal(statistics.peak_bytes, 104 + FOOTER_BYTES);
    assert_int_equal(statistics.allocation_count, 1);
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_free(heap, block));
    expect_panic(PANIC_EARLY_HEAP_FREE, early_heap_release(heap, second));
    assert_ptr_equal(early_heap_allocate(heap, 1, 1), fixture->region);
    assert_sound(heap);
}

static void test_phases_count_their_allocations(void **state)
{
    struct fixture *fixture = *state;
    struct early_heap *heap = &fixture->heap;
    assert_non_null(early_heap_allocate(heap, 10, 1));
    early_heap_begin_phase(heap, "frames");
    assert_non_null(early_heap_allocate(heap, 16, 16));
    void *block = early_heap_allocate_freeable(heap, 8, 8);
    early_heap_free(heap, block);
    assert_int_equal(heap->phase_count, 2);
    assert_string_equal(heap->phases[0].name, "start");
    assert_int_equal(heap->phases[0].allocated_bytes, 10);
    assert_string_equal(heap->phases[1].name, "frames");
    assert_int_equal(heap->phases[1].allocation_count, 2);
    assert_int_equal(heap->phases[1].allocated_bytes, 6 + 16 + 8 + FOOTER_BYTES);
    for (unsigned i = 2; i < EARLY_HEAP_PHASES_MAX; i++)
        early_heap_begin_phase(heap, "more");
    expect_panic(PANIC_ASSERTION, early_heap_begin_phase(heap, "one too many"));
    assert_sound(heap);
}

static void test_check_finds_each_broken_invariant(void **state)
{
    struct fixture *fixture = *state;
    assert_non_null(early_heap_allocate(&fixture->heap, 100, 8));
    struct early_heap good = fixture->heap;
    struct early_heap bad;

    bad = good, bad.start.value += 1;
    assert_non_null(early_heap_check(&bad));
    bad = good, bad.next.value = bad.start.value - 8;
    assert_non_null(early_heap_check(&bad));
    bad = good, bad.next.value = bad.end.value + 8, bad.peak.value = bad.next.value;
    assert_non_null(early_heap_check(&bad));
    bad = good, bad.peak.value = bad.next.value - 1;
    assert_non_null(early_heap_check(&bad));
    bad = good, bad.mark_floor.value = bad.next.value + 1;
    assert_non_null(early_heap_check(&bad));
    bad = good, bad.allocation_count++;
    assert_non_null(early_heap_check(&bad));
    bad = good, bad.phase_count = 0;
    assert_non_null(early_heap_check(&bad));
    bad = good, bad.phases[0].allocated_bytes = 0;
    assert_non_null(early_heap_check(&bad));
    bad = good, bad.newest_is_freeable = true; /* a footer cannot end at 100 */
    assert_non_null(early_heap_check(&bad));
    assert_null(early_heap_check(&good));
}

static void test_random_operations_keep_every_block_intact(void **state)
{
    static uint8_t bytes[6000];
    struct random random = {20240607};
    (void)state;
    for (unsigned round = 0; round < 10; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)random_below(&random, 256);
        const char *problem = early_heap_operations_run(bytes, sizeof(bytes));
        if (problem != NULL)
            fail_msg("round %u: %s", round, problem);
    }
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_B1_size_zero_is_refused),
        FIXTURE_TEST(test_B2_bad_alignment_is_refused),
        FIXTURE_TEST(test_B3_alignment_beyond_the_region_is_refused),
        FIXTURE_TEST(test_B4_wrapping_size_is_refused),
        FIXTURE_TEST(test_B5_exact_fit_succeeds),
        FIXTURE_TEST(test_B5_exact_fit_of_a_freeable_block_succeeds),
        FIXTURE_TEST(test_B6_one_byte_more_is_refused),
        FIXTURE_TEST(test_B7_misaligned_base_is_rounded_up),
        FIXTURE_TEST(test_B8_region_below_the_minimum_is_refused),
        FIXTURE_TEST(test_B9_region_at_the_end_of_the_address_space_does_not_wrap),
        FIXTURE_TEST(test_B10_use_after_retirement_panics),
        FIXTURE_TEST(test_B10_retirement_returns_no_page_that_is_in_use),
        FIXTURE_TEST(test_B11_exhaustion_panics_with_the_usage),
        FIXTURE_TEST(test_B12_failed_calls_leave_the_state_unchanged),
        FIXTURE_TEST(test_B13_free_of_an_older_block_panics),
        FIXTURE_TEST(test_B13_free_under_a_plain_block_panics),
        FIXTURE_TEST(test_B13_free_of_a_block_older_than_a_mark_panics),
        FIXTURE_TEST(test_B14_double_free_panics),
        FIXTURE_TEST(test_free_of_null_is_a_no_op),
        FIXTURE_TEST(test_overrun_into_the_footer_is_found),
        FIXTURE_TEST(test_freeable_blocks_have_the_promised_overhead),
        FIXTURE_TEST(test_mark_and_release_restore_the_moment),
        FIXTURE_TEST(test_a_release_keeps_the_peak_and_the_counts),
        FIXTURE_TEST(test_phases_count_their_allocations),
        FIXTURE_TEST(test_check_finds_each_broken_invariant),
        FIXTURE_TEST(test_random_operations_keep_every_block_intact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
