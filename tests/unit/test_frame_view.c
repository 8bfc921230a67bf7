/* Frame allocator: the list of holders, and the allocator's own check. */
#include "tests/unit/support/cmocka.h"

#include "tests/unit/support/frame_machine.h"

static void test_check_finds_each_broken_record(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    struct frame_allocator good = *frames;
    struct frame_allocator bad;
    (void)state;
    bad = good, bad.free_count++;
    assert_non_null(frame_allocator_check(&bad));
    bad = good, bad.released_count++;
    assert_non_null(frame_allocator_check(&bad));
    bad = good, bad.total_count++;
    assert_non_null(frame_allocator_check(&bad));
    bad = good, bad.records.count -= 2;
    assert_non_null(frame_allocator_check(&bad));
    bad = good, bad.records.capacity = 1;
    assert_non_null(frame_allocator_check(&bad));
    bad = good, bad.records.extent_count--;
    assert_non_null(frame_allocator_check(&bad));
    /* A frame becomes free without the allocator: a frame beyond all RAM, and frame 0. */
    bit_tree_insert(&good.free_frames,
                    bit_range(good.free_frames.bit_count - 1, good.free_frames.bit_count));
    assert_non_null(frame_allocator_check(&good));
    bit_tree_remove(&good.free_frames,
                    bit_range(good.free_frames.bit_count - 1, good.free_frames.bit_count));
    assert_null(frame_allocator_check(&good));
    bit_tree_insert(&good.free_frames, bit_range(0, 1));
    assert_non_null(frame_allocator_check(&good));
    frame_machine_destroy(machine);
}

static struct frame_holding holding_at(const struct frame_allocator *frames, uint64_t frame)
{
    for (uint32_t i = 0; i < frame_allocator_holding_count(frames); i++) {
        struct frame_holding holding = frame_allocator_holding(frames, i);
        if (frame >= holding.frames.start && frame < holding.frames.end)
            return holding;
    }
    fail_msg("nobody holds frame %llu", (unsigned long long)frame);
    return (struct frame_holding){0};
}

static void test_each_holder_is_on_record_with_when_it_gave_back(void **state)
{
    struct frame_machine *machine = frame_machine_create_small();
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    struct phys_addr frame;
    (void)state;
    assert_string_equal(holding_at(frames, 0).holder, "frame-zero");
    assert_true(holding_at(frames, 0).is_ram);
    assert_string_equal(holding_at(frames, 1).holder, "usable");
    assert_string_equal(holding_at(frames, 1).phase, "start");
    assert_string_equal(holding_at(frames, 8192).holder, "loader");
    assert_false(holding_at(frames, 8192).released);
    assert_string_equal(holding_at(frames, 9000).holder, "runtime-data");
    assert_string_equal(holding_at(frames, 9190).holder, "mmio");
    assert_false(holding_at(frames, 9190).is_ram);
    assert_null(frame_machine_ownership_problem(machine));

    frame_allocator_begin_phase(frames, "audited", 1000);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 808);
    frame_allocator_begin_phase(frames, "retired", 2000);
    assert_true(frame_allocator_reclaim(frames, frame_machine_bytes(9110 * 4096, 54 * 4096)));
    assert_string_equal(holding_at(frames, 8999).phase, "audited");
    assert_int_equal(holding_at(frames, 8999).timestamp, 1000);
    assert_false(holding_at(frames, 9109).released);
    assert_string_equal(holding_at(frames, 9110).phase, "retired");
    assert_string_equal(holding_at(frames, 9110).holder, "temp-heap");
    assert_int_equal(holding_at(frames, 9110).timestamp, 2000);
    assert_int_equal(holding_at(frames, 9110).free_count, 54);
    assert_true(
        frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(0, 9164 * 4096), &frame));
    assert_int_equal(holding_at(frames, 9110).free_count, 53);
    assert_null(frame_machine_ownership_problem(machine));
    frame_machine_destroy(machine);

    machine = frame_machine_create();
    frame_machine_add(machine, 0x100000, 64 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add_memory(machine, 65 * MIB);
    assert_int_equal(frame_machine_start(machine, NULL), FRAME_ALLOCATOR_OK);
    uint64_t first = machine->frames.records.own.start.value / 4096;
    assert_string_equal(holding_at(&machine->frames, first).holder, "frame-records");
    assert_string_equal(holding_at(&machine->frames, first - 1).holder, "usable");
    assert_null(frame_machine_ownership_problem(machine));
    frame_machine_destroy(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_finds_each_broken_record),
        cmocka_unit_test(test_each_holder_is_on_record_with_when_it_gave_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
