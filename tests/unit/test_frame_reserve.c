/* A CPU's reserve of frames: catalogue group F through a reserve, and two reserves with the
 * allocator. Random operations are in test_frame_maps.c. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/frames/frame_reserve.h"
#include "tests/unit/support/panic_stub.h"
#include "shared/region.h"

/* 4096 usable frames from frame 256 on, less one: the last word has 63. Then the same number of
 * held frames. */
#define FIRST_FRAME UINT64_C(256)
#define FREE_COUNT  UINT64_C(4095)
#define END_FRAME   (FIRST_FRAME + FREE_COUNT)

struct fixture {
    struct handoff_region rows[2];
    unsigned char early_heap_region[64 * 1024];
    struct early_heap early_heap;
    struct frame_allocator frames;
    struct frame_reserve first;
    struct frame_reserve second;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->rows[0] = region_make(FIRST_FRAME * 4096, FREE_COUNT * 4096, HANDOFF_REGION_USABLE,
                                   HANDOFF_EFI_TYPE_NONE, 8);
    fixture->rows[1] =
        region_make(END_FRAME * 4096, 4096 * 4096, HANDOFF_REGION_LOADER, HANDOFF_EFI_TYPE_NONE, 8);
    const struct region_list regions = {fixture->rows, 2, sizeof(fixture->rows[0])};
    assert_int_equal(early_heap_initialise(&fixture->early_heap,
                                           virt_addr((uintptr_t)fixture->early_heap_region),
                                           sizeof(fixture->early_heap_region)),
                     EARLY_HEAP_OK);
    assert_int_equal(
        frame_allocator_initialise(&fixture->frames, &regions, &fixture->early_heap, virt_addr(0)),
        FRAME_ALLOCATOR_OK);
    frame_reserve_open(&fixture->first, &fixture->frames);
    frame_reserve_open(&fixture->second, &fixture->frames);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    assert_null(frame_allocator_check(&fixture->frames));
    free(fixture);
    return 0;
}

static void assert_counts(const struct fixture *fixture, uint64_t free_count, uint64_t used_count,
                          uint64_t cached_count)
{
    struct frame_allocator_statistics sum = frame_allocator_statistics(&fixture->frames);
    assert_int_equal(sum.free_count, free_count);
    assert_int_equal(sum.used_count, used_count);
    assert_int_equal(sum.cached_count, cached_count);
    assert_int_equal(sum.free_count + sum.used_count + sum.cached_count + sum.reserved_count,
                     sum.total_count);
    assert_null(frame_allocator_check(&fixture->frames));
}

static struct phys_addr take(struct frame_reserve *reserve)
{
    struct phys_addr frame = {0};
    assert_true(frame_reserve_allocate(reserve, &frame));
    return frame;
}

static void test_F12_a_word_is_taken_and_returned(void **state)
{
    struct fixture *fixture = *state;
    assert_counts(fixture, FREE_COUNT, 0, 0);
    struct phys_addr frame = take(&fixture->first);
    assert_int_equal(frame.value, (END_FRAME - 1) * 4096);
    assert_counts(fixture, FREE_COUNT - 63, 1, 62);
    /* The other CPU has another word, and the allocator uses the frames below both. */
    assert_int_equal(take(&fixture->second).value, (END_FRAME - 64) * 4096);
    struct phys_addr third;
    assert_true(frame_allocator_allocate(&fixture->frames, &third));
    assert_int_equal(third.value, (END_FRAME - 64 - 64) * 4096);
    assert_counts(fixture, FREE_COUNT - 63 - 64 - 1, 3, 62 + 63);
    frame_reserve_free(&fixture->first, frame);
    assert_counts(fixture, FREE_COUNT - 63 - 64 - 1, 2, 63 + 63);
    assert_true(frame_word_return_all(&fixture->frames));
    assert_counts(fixture, FREE_COUNT - 2, 2, 0);
    assert_false(frame_word_return_all(&fixture->frames));
}

static void test_F1_no_frame_is_out_of_reach(void **state)
{
    struct fixture *fixture = *state;
    struct phys_addr frame;
    (void)take(&fixture->first);
    (void)take(&fixture->second);
    for (uint64_t i = 0; i < FREE_COUNT - 2; i++)
        assert_true(frame_allocator_allocate(&fixture->frames, &frame));
    assert_false(frame_allocator_allocate(&fixture->frames, &frame));
    assert_false(frame_reserve_allocate(&fixture->first, &frame));
    assert_counts(fixture, 0, FREE_COUNT, 0);
    frame_reserve_free(&fixture->first, frame);
    assert_int_equal(take(&fixture->second).value, frame.value);
}

/* A run that needs the frames of a reserve empties the reserve. */
static void test_F7_a_run_is_found_across_a_reserve(void **state)
{
    struct fixture *fixture = *state;
    struct phys_addr frame = take(&fixture->first);
    struct phys_addr base;
    frame_reserve_free(&fixture->first, frame);
    assert_true(frame_allocator_allocate_contiguous(&fixture->frames, FREE_COUNT, 1,
                                                    FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, FIRST_FRAME * 4096);
    assert_counts(fixture, 0, FREE_COUNT, 0);
}

static void test_F2_double_free_panics_wherever_it_comes(void **state)
{
    struct fixture *fixture = *state;
    struct phys_addr frame = take(&fixture->first);
    frame_reserve_free(&fixture->first, frame);
    expect_panic(PANIC_FRAME_FREE, frame_reserve_free(&fixture->first, frame));
    assert_non_null(strstr(panic_stub.message, "double free of frame 0x10fe000"));
    expect_panic(PANIC_FRAME_FREE, frame_reserve_free(&fixture->second, frame));

    frame = take(&fixture->first);
    frame_allocator_free(&fixture->frames, frame); /* without the reserve */
    expect_panic(PANIC_FRAME_FREE, frame_reserve_free(&fixture->first, frame));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(&fixture->frames, frame));

    frame = take(&fixture->first);
    frame_reserve_free(&fixture->first, frame);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free_contiguous(&fixture->frames, frame, 1));
    assert_counts(fixture, FREE_COUNT, 0, 0);
}

/* A frame is reclaimed whose word a reserve has. Its bit must not prevent the reserve's checks of
 * frees. */
static void test_F2_a_reclaim_beside_a_reserve_hides_no_double_free(void **state)
{
    struct fixture *fixture = *state;
    struct phys_addr taken = take(&fixture->first);
    struct phys_addr cached = phys_addr(taken.value - 4096);
    struct phys_addr other;
    assert_int_equal(taken.value, (END_FRAME - 1) * 4096);
    assert_true(frame_allocator_reclaim(&fixture->frames,
                                        phys_range(END_FRAME * 4096, (END_FRAME + 64) * 4096)));
    assert_true(frame_allocator_allocate_contiguous(
        &fixture->frames, 1, 1, phys_range(0, (END_FRAME - 100) * 4096), &other));
    frame_allocator_free(&fixture->frames, other);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(&fixture->frames, cached));
    frame_allocator_free(&fixture->frames, taken);
    expect_panic(PANIC_FRAME_FREE, frame_reserve_free(&fixture->first, taken));
    assert_counts(fixture, FREE_COUNT + 64, 0, 0);
}

static void test_F3_F4_F5_bad_frees_panic(void **state)
{
    struct fixture *fixture = *state;
    struct phys_addr frame = take(&fixture->first);
    expect_panic(PANIC_FRAME_FREE, frame_reserve_free(&fixture->first, phys_addr_add(frame, 8)));
    /* The frame is in the reserve's word, but the map says that it is held. */
    expect_panic(PANIC_FRAME_FREE, frame_reserve_free(&fixture->first, phys_addr_add(frame, 4096)));
    expect_panic(PANIC_FRAME_FREE, frame_reserve_free(&fixture->first, phys_addr(4096)));
    expect_panic(PANIC_FRAME_FREE, frame_reserve_free(&fixture->first, phys_addr(~PAGE_MASK)));
    frame_reserve_free(&fixture->first, frame);
    assert_int_equal(frame_allocator_statistics(&fixture->frames).used_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_F12_a_word_is_taken_and_returned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_F1_no_frame_is_out_of_reach, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_F7_a_run_is_found_across_a_reserve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_F2_double_free_panics_wherever_it_comes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_F2_a_reclaim_beside_a_reserve_hides_no_double_free,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_F3_F4_F5_bad_frees_panic, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
