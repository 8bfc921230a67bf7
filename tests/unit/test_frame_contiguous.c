/* Frame allocator: runs, their alignment and their limits. Catalogue F6 to F8. The cost of a search
 * is in test_frame_runs.c. */
#include "tests/unit/support/cmocka.h"

#include "tests/unit/support/frame_machine.h"
#include "tests/unit/support/panic_stub.h"

static void test_F6_impossible_counts_and_alignments_are_refused(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    struct phys_addr base = {1};
    const uint64_t counts[] = {0, FRAME_MACHINE_SMALL_FREE_AT_FIRST, UINT64_C(1) << 52,
                               UINT64_MAX - 1, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        assert_false(frame_allocator_allocate_contiguous(frames, counts[i], 1,
                                                         FRAME_ALLOCATOR_ANYWHERE, &base));
    const uint64_t alignments[] = {0, 3, 511, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof(alignments) / sizeof(alignments[0]); i++)
        assert_false(frame_allocator_allocate_contiguous(frames, 1, alignments[i],
                                                         FRAME_ALLOCATOR_ANYWHERE, &base));
    for (uint64_t limit = 0; limit < 2 * 4096; limit += 512)
        assert_false(
            frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(0, limit), &base));
    assert_int_equal(base.value, 1);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F7_runs_never_span_a_hole(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    struct phys_addr base;
    (void)state;
    /* Holes of one frame, of a word and of many words; blocks that end exactly at a word of the
     * bits. */
    frame_machine_add(machine, 64 * 4096, 64 * 4096, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 129 * 4096, 63 * 4096, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 256 * 4096, 64 * 4096, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 4096 * 4096, 4096 * 4096, HANDOFF_REGION_LOADER);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_false(
        frame_allocator_allocate_contiguous(frames, 65, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_true(
        frame_allocator_allocate_contiguous(frames, 64, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, 256 * 4096);
    assert_true(
        frame_allocator_allocate_contiguous(frames, 64, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, 64 * 4096);
    assert_false(
        frame_allocator_allocate_contiguous(frames, 64, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_true(
        frame_allocator_allocate_contiguous(frames, 63, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, 129 * 4096);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

/* Ranges of one frame in the same 64 frames: their bits have a larger distance than the frames. */
static void test_F7_single_frames_with_holes_between(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    struct phys_addr base;
    (void)state;
    for (uint64_t frame = 1; frame < 64; frame += 2)
        frame_machine_add(machine, frame * 4096, 4096, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 64 * 4096, 16 * MIB, HANDOFF_REGION_LOADER);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_false(
        frame_allocator_allocate_contiguous(frames, 2, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    for (uint64_t frame = 65; frame > 1; frame -= 2) {
        assert_true(
            frame_allocator_allocate_contiguous(frames, 1, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
        assert_int_equal(base.value, (frame - 2) * 4096);
    }
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F7_runs_span_regions_that_touch_once_both_are_free(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    struct phys_addr base;
    (void)state;
    assert_false(
        frame_allocator_allocate_contiguous(frames, 7681, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(frame_allocator_largest_run(frames), 7680);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 808);
    assert_int_equal(frame_allocator_largest_run(frames), 8488);
    assert_true(
        frame_allocator_allocate_contiguous(frames, 8488, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, 512 * 4096);
    assert_int_equal(frame_allocator_largest_run(frames), 159);
    frame_allocator_free_contiguous(frames, base, 8488);
    assert_int_equal(frame_allocator_largest_run(frames), 8488);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F8_alignment_is_honoured_or_refused(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    struct phys_addr base;
    unsigned count = 0;
    (void)state;
    while (frame_allocator_allocate_contiguous(frames, 512, 512, FRAME_ALLOCATOR_ANYWHERE, &base)) {
        assert_int_equal(base.value % (2 * MIB), 0);
        count++;
    }
    assert_int_equal(count, 7680 / 512);
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 512, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_true(
        frame_allocator_allocate_contiguous(frames, 1, 128, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, 128 * 4096);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F8_1_gib_alignment(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    struct phys_addr base;
    (void)state;
    frame_machine_add(machine, 0x100000, 3 * GIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_true(frame_allocator_allocate_contiguous(frames, 1 << 18, 1 << 18,
                                                    FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, 2 * GIB);
    assert_true(
        frame_allocator_allocate_contiguous(frames, 1, 1 << 18, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, 3 * GIB);
    assert_true(frame_allocator_allocate_contiguous(frames, 1 << 18, 1 << 18,
                                                    FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, GIB);
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 1 << 18, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_runs_end_at_or_below_the_limit(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    struct phys_addr base;
    (void)state;
    frame_machine_add(machine, 0x10000, 0x90000, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 0x100000, 3 * GIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 4 * GIB, 4 * GIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_true(frame_allocator_allocate_contiguous(frames, 4, 1, phys_range(0, MIB), &base));
    assert_int_equal(base.value, 0xa0000 - 4 * 4096);
    assert_true(frame_allocator_allocate_contiguous(frames, 4, 1, phys_range(0, 4 * GIB), &base));
    assert_int_equal(base.value, 3 * GIB + MIB - 4 * 4096);
    assert_true(
        frame_allocator_allocate_contiguous(frames, 4, 1, phys_range(0, 16 * MIB + 4095), &base));
    assert_int_equal(base.value, 16 * MIB - 4 * 4096);
    assert_true(frame_allocator_allocate_contiguous(frames, 4, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_int_equal(base.value, 8 * GIB - 4 * 4096);
    assert_false(frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(0, 0x10fff), &base));
    assert_true(frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(0, 0x11000), &base));
    frame_machine_destroy(machine);
}

static void test_runs_between_two_addresses(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    struct phys_addr base;
    (void)state;
    frame_machine_add(machine, 0x10000, 0x90000, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 0x100000, 3 * GIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 4 * GIB, 4 * GIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_true(
        frame_allocator_allocate_contiguous(frames, 4, 1, phys_range(4 * GIB, 5 * GIB), &base));
    assert_int_equal(base.value, 5 * GIB - 4 * 4096);
    /* Bounds that are not aligned to frames: the run lies between them. */
    assert_true(frame_allocator_allocate_contiguous(
        frames, 1, 1, phys_range(GIB + 1, GIB + 3 * 4096 - 1), &base));
    assert_int_equal(base.value, GIB + 4096);
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(GIB + 1, GIB + 4096), &base));
    /* The last frame at or above an address, the first GiB page above 4 GiB, and no frame. */
    assert_true(frame_allocator_allocate_contiguous(frames, 1, 1,
                                                    phys_range(8 * GIB - 4096, UINT64_MAX), &base));
    assert_int_equal(base.value, 8 * GIB - 4096);
    assert_false(frame_allocator_allocate_contiguous(
        frames, 1, 1, phys_range(8 * GIB - 4096, UINT64_MAX), &base));
    assert_true(frame_allocator_allocate_contiguous(frames, 1 << 18, 1 << 18,
                                                    phys_range(4 * GIB + 4096, UINT64_MAX), &base));
    assert_int_equal(base.value, 6 * GIB);
    assert_false(frame_allocator_allocate_contiguous(frames, 1, 1,
                                                     phys_range(3 * GIB + MIB, 4 * GIB), &base));
    assert_false(frame_allocator_allocate_contiguous(frames, 1, 1,
                                                     phys_range(UINT64_MAX, UINT64_MAX), &base));
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(2 * GIB, GIB), &base));
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F6_impossible_counts_and_alignments_are_refused),
        cmocka_unit_test(test_F7_runs_never_span_a_hole),
        cmocka_unit_test(test_F7_single_frames_with_holes_between),
        cmocka_unit_test(test_F7_runs_span_regions_that_touch_once_both_are_free),
        cmocka_unit_test(test_F8_alignment_is_honoured_or_refused),
        cmocka_unit_test(test_F8_1_gib_alignment),
        cmocka_unit_test(test_runs_end_at_or_below_the_limit),
        cmocka_unit_test(test_runs_between_two_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
