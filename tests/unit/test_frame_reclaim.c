/* Reclaiming reserved frames. Catalogue M15, M16, M21, F11. */
#include "tests/unit/support/cmocka.h"

#include "shared/region.h"
#include "tests/unit/support/frame_machine.h"
#include "tests/unit/support/panic_stub.h"

static void test_M15_M16_held_ram_is_kept_until_it_is_reclaimed(void **state)
{
    const uint32_t types[] = {HANDOFF_REGION_LOADER,      HANDOFF_REGION_ACPI_RECLAIM,
                              HANDOFF_REGION_TEMP_HEAP,   HANDOFF_REGION_STACK,
                              HANDOFF_REGION_PAGE_TABLES, HANDOFF_REGION_HANDOFF_DATA};
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct frame_machine *machine = frame_machine_create();
        frame_machine_add(machine, 4096, 16 * MIB, HANDOFF_REGION_USABLE);
        frame_machine_add(machine, 4096 + 16 * MIB, MIB, types[i]);
        struct frame_allocator *frames = frame_machine_start_or_abort(machine);
        assert_int_equal(frame_machine_exhaust(frames, NULL, 0), 4096);
        expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(4096 + 16 * MIB)));
        assert_int_equal(frame_allocator_reclaim_reusable(frames, region_type_reuse(types[i])),
                         256);
        assert_int_equal(frame_allocator_reclaim_reusable(frames, region_type_reuse(types[i])), 0);
        assert_int_equal(frame_machine_exhaust(frames, NULL, 0), 256);
        assert_null(frame_machine_problem(frames));
        frame_machine_destroy(machine);
    }
}

static void test_M21_runtime_services_memory_is_never_reclaimed(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    volatile bool reclaimed = false;
    (void)state;
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_NEVER), 0);
    expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                       frames, frame_machine_bytes(9000 * 4096, 4096)));
    /* A range that only touches frame 0 changes nothing, too. */
    expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                       frames, frame_machine_bytes(8999 * 4096, 2 * 4096)));
    assert_false(reclaimed);
    assert_int_equal(frame_allocator_statistics(frames).free_count,
                     FRAME_MACHINE_SMALL_FREE_AT_FIRST);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F11_temp_heap_frames_are_released_exactly_once(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    volatile bool reclaimed = false;
    uint64_t base = 9100 * 4096;
    (void)state;
    assert_true(frame_allocator_reclaim(frames, frame_machine_bytes(base + 20 * 4096, 44 * 4096)));
    assert_int_equal(frame_allocator_statistics(frames).free_count,
                     FRAME_MACHINE_SMALL_FREE_AT_FIRST + 44);
    assert_null(frame_machine_problem(frames));
    expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                       frames, frame_machine_bytes(base + 20 * 4096, 44 * 4096)));
    expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                       frames, frame_machine_bytes(base + 63 * 4096, 4096)));
    expect_panic(PANIC_FRAME_FREE,
                 reclaimed = frame_allocator_reclaim(frames, frame_machine_bytes(base, 21 * 4096)));
    assert_false(reclaimed);
    assert_int_equal(frame_allocator_statistics(frames).free_count,
                     FRAME_MACHINE_SMALL_FREE_AT_FIRST + 44);
    /* The frames that were left out are still reserved, and become free by their own reclaim. */
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(base + 19 * 4096)));
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_HEAP), 20);
    assert_true(frame_allocator_reclaim(frames, frame_machine_bytes(base, 0)));
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F11_one_reclaim_may_span_regions(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    (void)state;
    /* The temporary heap's last frame and the image's first two. */
    assert_true(frame_allocator_reclaim(frames, frame_machine_bytes(9163 * 4096, 3 * 4096)));
    assert_int_equal(frame_allocator_statistics(frames).free_count,
                     FRAME_MACHINE_SMALL_FREE_AT_FIRST + 3);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_HEAP), 63);
    assert_true(frame_allocator_reclaim(frames, frame_machine_bytes(9166 * 4096, 14 * 4096)));
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_reclaim_is_refused_when_the_records_are_full(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    uint64_t frame = 8193;
    (void)state;
    for (unsigned i = 0; i < FRAME_RECORDS_SPLITS_MAX; i++, frame += 2)
        assert_true(frame_allocator_reclaim(frames, frame_machine_bytes(frame * 4096, 4096)));
    assert_null(frame_machine_problem(frames));
    uint64_t free_count = frame_allocator_statistics(frames).free_count;
    assert_false(frame_allocator_reclaim(frames, frame_machine_bytes(frame * 4096, 4096)));
    assert_int_equal(frame_allocator_statistics(frames).free_count, free_count);
    assert_null(frame_machine_problem(frames));
    /* A reclaim that needs no new record still works. */
    assert_true(frame_allocator_reclaim(frames, frame_machine_bytes(8192 * 4096, 4096)));
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER),
                     808 - FRAME_RECORDS_SPLITS_MAX - 1);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_M15_M16_held_ram_is_kept_until_it_is_reclaimed),
        cmocka_unit_test(test_M21_runtime_services_memory_is_never_reclaimed),
        cmocka_unit_test(test_F11_temp_heap_frames_are_released_exactly_once),
        cmocka_unit_test(test_F11_one_reclaim_may_span_regions),
        cmocka_unit_test(test_reclaim_is_refused_when_the_records_are_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
