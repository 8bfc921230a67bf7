/* Frame allocator: single frames, and bad frees. Catalogue group F. */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "tests/unit/support/frame_machine.h"
#include "tests/unit/support/panic_stub.h"

static void test_M14_frame_zero_is_never_given(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    frame_machine_add(machine, 0, 4096, HANDOFF_REGION_LOADER);
    frame_machine_add(machine, 4096, 32 * MIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 0);
    assert_true(frame_allocator_reclaim(frames, frame_machine_bytes(0, 4096)));
    struct phys_addr base;
    assert_false(frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(0, 4096), &base));
    assert_int_equal(frame_allocator_statistics(frames).reserved_count, 1);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(0)));
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);

    machine = frame_machine_create_small(); /* the map says that frame 0 is usable */
    frames = frame_machine_start_or_abort(machine);
    assert_int_equal(frame_machine_exhaust(frames, NULL, 0), FRAME_MACHINE_SMALL_FREE_AT_FIRST);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(0)));
    frame_machine_destroy(machine);
}

static void test_F1_exhaustion_is_refused_and_a_free_helps(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    struct phys_addr taken[2];
    struct phys_addr frame = {1};
    (void)state;
    assert_int_equal(frame_machine_exhaust(frames, taken, 2), FRAME_MACHINE_SMALL_FREE_AT_FIRST);
    assert_false(frame_allocator_allocate(frames, &frame));
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 1, FRAME_ALLOCATOR_ANYWHERE, &frame));
    assert_int_equal(frame.value, 1);
    assert_null(frame_machine_problem(frames));
    frame_allocator_free(frames, taken[1]);
    assert_true(frame_allocator_allocate(frames, &frame));
    assert_int_equal(frame.value, taken[1].value);
    assert_false(frame_allocator_allocate(frames, &frame));
    frame_machine_destroy(machine);
}

static void test_F2_double_free_panics(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    struct phys_addr frame;
    struct phys_addr run;
    (void)state;
    assert_true(frame_allocator_allocate(frames, &frame));
    frame_allocator_free(frames, frame);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, frame));
    assert_non_null(strstr(panic_stub.message, "double free of frame 0x23e5000"));
    assert_true(
        frame_allocator_allocate_contiguous(frames, 100, 1, FRAME_ALLOCATOR_ANYWHERE, &run));
    frame_allocator_free(frames, phys_addr_add(run, 50 * 4096));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free_contiguous(frames, run, 100));
    frame_allocator_free_contiguous(frames, run, 50);
    frame_allocator_free_contiguous(frames, phys_addr_add(run, 51 * 4096), 49);
    assert_int_equal(frame_allocator_statistics(frames).used_count, 0);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F3_free_of_reserved_or_mmio_panics(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    const uint64_t reserved[] = {0, 160, 511, 8192, 8999, 9000, 9100, 9163, 9164, 9190, 9199};
    (void)state;
    assert_int_equal(frame_machine_exhaust(frames, NULL, 0), FRAME_MACHINE_SMALL_FREE_AT_FIRST);
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(reserved[i] * 4096)));
    /* The run begins in used frames and ends in reserved frames. */
    expect_panic(PANIC_FRAME_FREE,
                 frame_allocator_free_contiguous(frames, phys_addr(8191 * 4096), 2));
    assert_int_equal(frame_allocator_statistics(frames).free_count, 0);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F4_free_of_an_unaligned_address_panics(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    struct phys_addr frame;
    volatile bool reclaimed = false;
    (void)state;
    assert_true(frame_allocator_allocate(frames, &frame));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr_add(frame, 1)));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr_add(frame, 4095)));
    expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                       frames, frame_machine_bytes(9100 * 4096 + 8, 4096)));
    expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                       frames, frame_machine_bytes(9100 * 4096, 4097)));
    assert_false(reclaimed);
    frame_allocator_free(frames, frame);
    frame_machine_destroy(machine);
}

static void test_F5_free_out_of_range_panics(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    volatile bool reclaimed = false;
    (void)state;
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(9200 * 4096)));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(UINT64_C(1) << 52)));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(~PAGE_MASK)));
    expect_panic(PANIC_FRAME_FREE,
                 frame_allocator_free_contiguous(frames, phys_addr(4096), UINT64_MAX));
    expect_panic(PANIC_FRAME_FREE,
                 frame_allocator_free_contiguous(frames, phys_addr(4096), UINT64_C(1) << 52));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free_contiguous(frames, phys_addr(4096), 0));
    expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                       frames, frame_machine_bytes(4096, ~PAGE_MASK)));
    assert_false(reclaimed);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F10_frames_beyond_a_total_that_is_no_multiple_of_64_stay_used(void **state)
{
    (void)state;
    for (uint64_t extra = 0; extra < 130; extra++) {
        struct frame_machine *machine = frame_machine_create();
        uint64_t end = (17 * MIB / 4096 + extra) * 4096;
        frame_machine_add(machine, 4096, end - 4096, HANDOFF_REGION_USABLE);
        struct frame_allocator *frames = frame_machine_start_or_abort(machine);
        struct phys_addr highest;
        assert_int_equal(frame_machine_exhaust(frames, &highest, 1), end / 4096 - 1);
        assert_int_equal(highest.value, end - 4096);
        assert_null(frame_machine_problem(frames));
        frame_machine_destroy(machine);
    }
}

static void test_F13_frames_above_4_gib_and_2_to_the_44_are_not_truncated(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    const uint64_t bases[] = {UINT64_C(1) << 33, UINT64_C(1) << 45, UINT64_C(1) << 51};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        frame_machine_add(machine, bases[i], 16 * MIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    for (size_t i = 3; i-- > 0;) {
        struct phys_addr base;
        struct phys_addr frame;
        assert_true(
            frame_allocator_allocate_contiguous(frames, 4095, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
        assert_int_equal(base.value, bases[i] + 4096);
        assert_true(frame_allocator_allocate(frames, &frame));
        assert_int_equal(frame.value, bases[i]);
    }
    assert_int_equal(frame_allocator_statistics(frames).free_count, 0);
    for (size_t i = 0; i < 3; i++)
        frame_allocator_free_contiguous(frames, phys_addr(bases[i]), 4096);
    assert_int_equal(frame_allocator_statistics(frames).used_count, 0);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_M14_frame_zero_is_never_given),
        cmocka_unit_test(test_F1_exhaustion_is_refused_and_a_free_helps),
        cmocka_unit_test(test_F2_double_free_panics),
        cmocka_unit_test(test_F3_free_of_reserved_or_mmio_panics),
        cmocka_unit_test(test_F4_free_of_an_unaligned_address_panics),
        cmocka_unit_test(test_F5_free_out_of_range_panics),
        cmocka_unit_test(test_F10_frames_beyond_a_total_that_is_no_multiple_of_64_stay_used),
        cmocka_unit_test(test_F13_frames_above_4_gib_and_2_to_the_44_are_not_truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
