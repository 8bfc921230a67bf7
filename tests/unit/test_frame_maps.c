/* Frame allocator: maps of real machines, generated maps, and random operations with an oracle.
 */
#include "tests/unit/support/cmocka.h"

#include "shared/direct_map.h"
#include "tests/unit/support/frame_machine.h"
#include "tests/unit/support/frame_operations.h"
#include "tests/unit/support/memory_map_file.h"
#include "tests/unit/support/panic_stub.h"
#include "tests/unit/support/random.h"

static void convert_map(struct frame_machine *machine, const char *path)
{
    static struct memory_map_descriptor rows[FRAME_MACHINE_ROWS_MAX / 2];
    static uint64_t work[FRAME_MACHINE_ROWS_MAX];
    size_t row_count = memory_map_file_read(path, rows, FRAME_MACHINE_ROWS_MAX / 2);
    const struct memory_map_request request = {
        .map = rows,
        .size_bytes = row_count * sizeof(rows[0]),
        .stride_bytes = sizeof(rows[0]),
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
    };
    const struct memory_map_room room = {work, FRAME_MACHINE_ROWS_MAX, machine->rows,
                                         FRAME_MACHINE_ROWS_MAX};
    struct memory_map_result result = {0};
    enum memory_map_status status = memory_map_convert(&request, &room, &result);
    if (status != MEMORY_MAP_OK && status != MEMORY_MAP_EMPTY)
        fail_msg("%s: %s", path, memory_map_status_text(status));
    machine->regions.count = (uint32_t)result.region_count;
}

static void run_real_map(const char *path, void *context)
{
    struct frame_machine *machine = frame_machine_create();
    (void)context;
    convert_map(machine, path);
    uint64_t available_bytes =
        machine->regions.count > 0 ? frame_allocator_available_bytes(&machine->regions) : 0;
    frame_machine_add_memory(machine, 16 * TIB);
    enum frame_allocator_status status = frame_machine_start(machine, &machine->early_heap);
    assert_int_equal(status == FRAME_ALLOCATOR_OK,
                     available_bytes >= FRAME_ALLOCATOR_RAM_MIN_BYTES);
    /* A map that is only partly known may have little free memory at entry. */
    if (status == FRAME_ALLOCATOR_OK &&
        frame_allocator_statistics(&machine->frames).free_count >= 2048) {
        struct frame_allocator *frames = &machine->frames;
        struct phys_addr singles[500];
        struct phys_addr run;
        uint64_t free_count = frame_allocator_statistics(frames).free_count;
        assert_true(frames->records.size_bytes * 8 <
                    frame_allocator_statistics(frames).total_count * 103 / 100 + 16 * 8 * 4096);
        for (size_t i = 0; i < 500; i++) {
            assert_true(frame_allocator_allocate(frames, &singles[i]));
            assert_true(frame_machine_is_usable(machine, singles[i], 4096));
        }
        assert_true(
            frame_allocator_allocate_contiguous(frames, 512, 512, FRAME_ALLOCATOR_ANYWHERE, &run));
        assert_true(frame_machine_is_usable(machine, run, 2 * MIB));
        assert_null(frame_machine_problem(frames));
        frame_allocator_free_contiguous(frames, run, 512);
        for (size_t i = 0; i < 500; i++)
            frame_allocator_free(frames, singles[i]);
        assert_int_equal(frame_allocator_statistics(frames).free_count, free_count);
        assert_null(frame_machine_problem(frames));
    }
    frame_machine_destroy(machine);
}

static void test_M18_F13_every_real_map(void **state)
{
    (void)state;
    assert_true(memory_map_file_each(run_real_map, NULL) >= 7);
}

/* Make many rows of all kinds with holes between them for half of the RAM, then a large usable row.
 * If the RAM is large enough, this row is beyond a device at 16 TiB. Return the end. */
static uint64_t generate_map(struct frame_machine *machine, uint64_t ram_bytes,
                             struct random *random)
{
    uint64_t next = 0;
    uint64_t left = ram_bytes / 2;
    while (left > 0 && machine->regions.count < 300) {
        uint64_t size = (1 + random_below(random, ram_bytes / 100 / 4096)) * 4096;
        size = size < left ? size : left;
        uint32_t kind = (uint32_t)random_below(random, 30);
        frame_machine_add(machine, next, size, kind < 19 ? kind : HANDOFF_REGION_USABLE);
        left -= size;
        next += size + (random_below(random, 3) == 0 ? random_below(random, 5000) * 4096 : 0);
    }
    if (ram_bytes > 16 * TIB)
        frame_machine_add(machine, next, TIB, HANDOFF_REGION_MMIO);
    next += TIB;
    frame_machine_add(machine, next, ram_bytes / 2, HANDOFF_REGION_USABLE);
    return next + ram_bytes / 2;
}

static uint64_t count_frames_of_type(const struct frame_machine *machine, uint32_t type)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < machine->regions.count; i++) {
        bool counts = machine->rows[i].type == type;
        bool has_frame_zero = counts && machine->rows[i].base == 0;
        count += counts ? machine->rows[i].size_bytes / 4096 - has_frame_zero : 0;
    }
    return count;
}

static void assert_given_run(struct frame_machine *machine, uint64_t frame_count,
                             uint64_t alignment, uint64_t lowest, uint64_t limit)
{
    struct frame_allocator *frames = &machine->frames;
    struct phys_addr base;
    assert_true(frame_allocator_allocate_contiguous(frames, frame_count, alignment,
                                                    phys_range(lowest, limit), &base));
    assert_int_equal(base.value / 4096 % alignment, 0);
    assert_true(base.value >= lowest && base.value + frame_count * 4096 <= limit);
    assert_true(frame_machine_is_usable(machine, base, frame_count * 4096));
    assert_null(frame_machine_problem(frames));
    /* F2: a double free, also of a part, changes nothing. */
    frame_allocator_free(frames, base);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, base));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free_contiguous(frames, base, frame_count));
    if (frame_count > 1)
        frame_allocator_free_contiguous(frames, phys_addr_add(base, 4096), frame_count - 1);
    assert_null(frame_machine_problem(frames));
}

/* F3, F5: the first frame of each row that is not usable, and of each hole behind one. */
static void assert_foreign_frees_are_found(struct frame_machine *machine)
{
    for (uint32_t i = 0; i < machine->regions.count; i++) {
        const struct handoff_region *row = &machine->rows[i];
        uint64_t end = row->base + row->size_bytes;
        if (row->type != HANDOFF_REGION_USABLE)
            expect_panic(PANIC_FRAME_FREE,
                         frame_allocator_free(&machine->frames, phys_addr(row->base)));
        if (i + 1 == machine->regions.count || row[1].base != end)
            expect_panic(PANIC_FRAME_FREE, frame_allocator_free(&machine->frames, phys_addr(end)));
    }
}

static void run_generated_map(uint64_t ram_bytes, struct random *random)
{
    static struct phys_addr singles[6000];
    const size_t single_count = sizeof(singles) / sizeof(singles[0]);
    struct frame_machine *machine = frame_machine_create();
    struct frame_allocator *frames = &machine->frames;
    uint64_t end = generate_map(machine, ram_bytes, random);
    frame_machine_add_memory_below(machine, end, page_align_up(ram_bytes / 4096 / 6 + 4 * MIB));
    assert_int_equal(frame_machine_start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
    uint64_t usable_count = count_frames_of_type(machine, HANDOFF_REGION_USABLE);
    uint64_t carved_count =
        phys_range_is_empty(frames->records.own) ? 0 : frames->records.size_bytes / 4096;
    assert_int_equal(frame_allocator_statistics(frames).free_count, usable_count - carved_count);
    assert_int_equal(frame_allocator_largest_run(frames), ram_bytes / 2 / 4096 - carved_count);
    /* M18: sized by RAM: 1.0205 bits a frame, a record a row, and the blocks at each hole. */
    assert_true(frames->records.size_bytes <
                ram_bytes / 4096 / 8 * 1021 / 1000 + machine->regions.count * 1200 + 16384);

    for (size_t i = 0; i < single_count; i++) {
        assert_true(frame_allocator_allocate(frames, &singles[i]));
        assert_true(frame_machine_is_usable(machine, singles[i], 4096));
        assert_true(i == 0 || singles[i].value < singles[i - 1].value);
    }
    assert_null(frame_machine_problem(frames));
    assert_foreign_frees_are_found(machine);
    assert_given_run(machine, 512, 512, 0, UINT64_MAX);
    assert_given_run(machine, 3, 1, 0, end - ram_bytes / 2);
    assert_given_run(machine, 777, 4, end - ram_bytes / 2, end);
    if (ram_bytes >= 8 * GIB)
        assert_given_run(machine, 1 << 18, 1 << 18, 0, UINT64_MAX);
    /* Nearly all of the large row, in one run. */
    assert_given_run(machine, ram_bytes / 2 / 4096 - carved_count - single_count, 1,
                     end - ram_bytes / 2, end);
    uint64_t held = count_frames_of_type(machine, HANDOFF_REGION_LOADER);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), held);
    for (size_t i = 0; i < single_count; i++)
        frame_allocator_free(frames, singles[i]);
    assert_int_equal(frame_allocator_statistics(frames).used_count, 0);
    assert_int_equal(frame_allocator_statistics(frames).free_count,
                     usable_count - carved_count + held);
    assert_null(frame_machine_ownership_problem(machine));
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_F2_F3_F5_F7_F8_F12_M18_generated_maps(void **state)
{
    struct random random = {64};
    (void)state;
    for (uint64_t ram_bytes = 64 * MIB; ram_bytes <= 64 * TIB; ram_bytes *= 4) {
        for (unsigned i = 0; i < 3; i++)
            run_generated_map(ram_bytes, &random);
    }
}

static void assert_random_runs_are_well(const char *(*run)(const uint8_t *bytes, size_t size_bytes),
                                        size_t size_bytes, unsigned round_count)
{
    static uint8_t bytes[4096];
    struct random random = {20240607};
    for (unsigned round = 0; round < round_count; round++) {
        for (size_t i = 0; i < size_bytes; i++)
            bytes[i] = (uint8_t)random_below(&random, 256);
        const char *problem = run(bytes, size_bytes);
        if (problem != NULL)
            fail_msg("round %u: %s", round, problem);
    }
}

static void test_F12_random_operations_agree_with_one_byte_a_frame(void **state)
{
    (void)state;
    assert_random_runs_are_well(frame_operations_run, 4096, 10);
}

static void test_M20_random_bytes_as_a_map_are_refused_or_safe(void **state)
{
    (void)state;
    assert_random_runs_are_well(frame_operations_run_hostile_map, 120, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_M18_F13_every_real_map),
        cmocka_unit_test(test_F2_F3_F5_F7_F8_F12_M18_generated_maps),
        cmocka_unit_test(test_F12_random_operations_agree_with_one_byte_a_frame),
        cmocka_unit_test(test_M20_random_bytes_as_a_map_are_refused_or_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
