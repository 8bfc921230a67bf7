/* Frame records: the facts of the map, and the place of the records. Catalogue group M, and F9. */
#define _DEFAULT_SOURCE /* mincore */

#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/mm/frames/bit_tree_bound.h"
#include "shared/region.h"
#include "tests/unit/support/frame_machine.h"
#include "tests/unit/support/panic_stub.h"

static void test_M1_empty_map_is_refused(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    assert_int_equal(frame_machine_start(machine, &machine->early_heap), FRAME_ALLOCATOR_MAP_EMPTY);
    frame_machine_destroy(machine);
}

static void test_M2_map_that_is_not_normalised_is_refused(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    frame_machine_add(machine, 64 * MIB, 64 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 96 * MIB, 64 * MIB, HANDOFF_REGION_USABLE);
    assert_int_equal(frame_machine_start(machine, &machine->early_heap),
                     FRAME_ALLOCATOR_MAP_NOT_NORMALISED);
    machine->rows[1].base = 0;
    assert_int_equal(frame_machine_start(machine, &machine->early_heap),
                     FRAME_ALLOCATOR_MAP_NOT_NORMALISED);
    frame_machine_destroy(machine);
}

static void test_M10_M11_only_proven_ram_is_managed(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    const uint32_t never[] = {HANDOFF_REGION_ACPI_NVS,
                              HANDOFF_REGION_RUNTIME_DATA,
                              HANDOFF_REGION_RUNTIME_CODE,
                              HANDOFF_REGION_PERSISTENT,
                              HANDOFF_REGION_UNACCEPTED,
                              HANDOFF_REGION_MMIO,
                              HANDOFF_REGION_BAD,
                              HANDOFF_REGION_RESERVED,
                              HANDOFF_REGION_FRAMEBUFFER,
                              0,
                              19,
                              0x70000000,
                              UINT32_MAX};
    const size_t never_count = sizeof(never) / sizeof(never[0]);
    (void)state;
    frame_machine_add(machine, 0x100000, 32 * MIB, HANDOFF_REGION_USABLE);
    for (size_t i = 0; i < never_count; i++)
        frame_machine_add(machine, (64 + i) * MIB, MIB, never[i]);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_int_equal(frame_allocator_statistics(frames).free_count, 32 * MIB / 4096);
    /* The three types of the firmware are RAM, and count in the total as reserved. */
    assert_int_equal(frame_allocator_statistics(frames).total_count, (32 + 3) * MIB / 4096);
    for (size_t i = 0; i < never_count; i++) {
        volatile bool reclaimed = false;
        assert_int_equal(frame_allocator_reclaim_reusable(frames, region_type_reuse(never[i])), 0);
        expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                           frames, frame_machine_bytes((64 + i) * MIB, 4096)));
        assert_false(reclaimed);
    }
    assert_int_equal(frame_machine_exhaust(frames, NULL, 0), 32 * MIB / 4096);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

/* The kernel uses the facts of a region, since a newer loader may have more types. */
static void test_M10_regions_of_unknown_types_follow_their_facts(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    frame_machine_add(machine, 4096, 16 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 32 * MIB, MIB, 0x777);
    frame_machine_add(machine, 64 * MIB, MIB, 0x778);
    frame_machine_add(machine, 96 * MIB, MIB, 0x779);
    frame_machine_add(machine, 128 * MIB, MIB, 0x77a);
    const uint32_t usable = HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE;
    for (unsigned i = 1; i < 4; i++)
        machine->rows[i].facts = usable;
    machine->rows[1].reuse = HANDOFF_REUSE_AT_ENTRY;
    machine->rows[2].reuse = HANDOFF_REUSE_AFTER_COPY;
    machine->rows[3].reuse = 256 + HANDOFF_REUSE_AT_ENTRY; /* unknown: never */
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_int_equal(frame_allocator_statistics(frames).free_count, 4096 + 256);
    assert_int_equal(frame_allocator_statistics(frames).total_count, 4096 + 3 * 256);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 0);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_COPY), 256);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_NEVER), 0);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

static void test_M17_region_above_52_bits_is_refused(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    frame_machine_add(machine, 4096, 32 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, UINT64_C(1) << 52, 4096, HANDOFF_REGION_USABLE);
    assert_int_equal(frame_machine_start(machine, &machine->early_heap),
                     FRAME_ALLOCATOR_MAP_NOT_NORMALISED);
    machine->rows[1].base = (UINT64_C(1) << 52) - 4096;
    struct phys_addr frame;
    assert_int_equal(frame_machine_start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
    assert_true(frame_allocator_allocate(&machine->frames, &frame));
    assert_int_equal(frame.value, (UINT64_C(1) << 52) - 4096);
    frame_machine_destroy(machine);
}

static void test_M18_records_are_sized_only_by_ram(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    frame_machine_add(machine, 4096, 64 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 16 * TIB, TIB, HANDOFF_REGION_MMIO);
    frame_machine_add(machine, 18 * TIB, 64 * MIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = frame_machine_start_or_abort(machine);
    assert_true(frames->records.size_bytes < 16 * KIB);
    frame_machine_destroy(machine);
}

static void test_M19_too_little_ram_is_refused_with_the_figure(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    struct early_heap before = machine->early_heap;
    (void)state;
    frame_machine_add(machine, 4096, 8 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 4096 + 8 * MIB, 8 * MIB - 4096, HANDOFF_REGION_BOOT_SERVICES);
    frame_machine_add(machine, 64 * MIB, 64 * MIB, HANDOFF_REGION_RUNTIME_DATA);
    assert_int_equal(frame_machine_start(machine, &machine->early_heap),
                     FRAME_ALLOCATOR_TOO_LITTLE_RAM);
    assert_int_equal(frame_allocator_available_bytes(&machine->regions), 16 * MIB - 4096);
    assert_memory_equal(&before, &machine->early_heap, sizeof(before));
    machine->rows[1].size_bytes += 4096;
    frame_machine_start_or_abort(machine);
    frame_machine_destroy(machine);
}

static void test_F9_no_room_for_the_records_is_refused(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    struct early_heap before = machine->early_heap;
    (void)state;
    /* 1 TiB that is not usable yet needs 32 MiB of records, but only 16 MiB are usable. */
    frame_machine_add(machine, 16 * MIB, 16 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, GIB, TIB, HANDOFF_REGION_LOADER);
    assert_int_equal(frame_machine_start(machine, &machine->early_heap), FRAME_ALLOCATOR_NO_ROOM);
    assert_int_equal(frame_machine_start(machine, NULL), FRAME_ALLOCATOR_NO_ROOM);
    assert_memory_equal(&before, &machine->early_heap, sizeof(before));
    frame_machine_destroy(machine);
}

static void test_F9_half_of_the_early_heap_stays_free(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    frame_machine_add(machine, 0x100000, 64 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add_memory(machine, 65 * MIB);
    assert_non_null(
        early_heap_allocate(&machine->early_heap, FRAME_MACHINE_EARLY_HEAP_BYTES / 2 - 1000, 8));
    assert_int_equal(frame_machine_start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
    assert_false(phys_range_is_empty(machine->frames.records.own));
    assert_int_equal(early_heap_statistics(&machine->early_heap).allocation_count, 1);
    assert_null(frame_machine_problem(&machine->frames));
    frame_machine_destroy(machine);
}

/* The records lie at the end of the highest usable region that is large enough. They can be neither
 * allocated nor freed. */
static void test_records_in_ram_are_never_given(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    frame_machine_add(machine, 0x100000, 64 * MIB, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 65 * MIB, MIB,
                      HANDOFF_REGION_LOADER); /* it touches: the range is split */
    frame_machine_add(machine, 128 * MIB, 4096, HANDOFF_REGION_USABLE); /* too small */
    frame_machine_add_memory(machine, 129 * MIB);
    assert_int_equal(frame_machine_start(machine, NULL), FRAME_ALLOCATOR_OK);
    struct frame_allocator *frames = &machine->frames;
    uint64_t record_frames = frames->records.size_bytes / 4096;
    assert_int_equal(frames->records.own.start.value + frames->records.size_bytes, 65 * MIB);
    assert_null(frame_machine_problem(frames));
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 256);
    assert_int_equal(frame_machine_exhaust(frames, NULL, 0),
                     64 * MIB / 4096 + 256 + 1 - record_frames);
    for (uint64_t i = 0; i < record_frames; i++)
        expect_panic(
            PANIC_FRAME_FREE,
            frame_allocator_free(frames, phys_addr_add(frames->records.own.start, i * 4096)));
    assert_int_equal(frame_allocator_statistics(frames).reserved_count, record_frames);
    assert_null(frame_machine_problem(frames));
    frame_machine_destroy(machine);
}

/* At every size the records end where their memory ends, although their place splits a range. This
 * includes the sizes that are whole pages without rounding. */
static void test_records_in_ram_fit_exactly_at_every_size(void **state)
{
    struct frame_machine *machine = frame_machine_create();
    (void)state;
    /* They touch in the middle of a word. Then each part has its own word. */
    frame_machine_add(machine, 64 * 4096, 16 * MIB + 40 * 4096, HANDOFF_REGION_USABLE);
    frame_machine_add(machine, 104 * 4096 + 16 * MIB, 4096, HANDOFF_REGION_LOADER);
    frame_machine_add_memory(machine, 256 * MIB);
    for (unsigned step = 0; step < 512; step++) {
        assert_int_equal(frame_machine_start(machine, NULL), FRAME_ALLOCATOR_OK);
        const struct frame_allocator *frames = &machine->frames;
        const struct bit_tree *tree = &frames->free_frames;
        uint64_t records_end = machine->direct_map_base.value + frames->records.own.start.value +
                               frames->records.size_bytes;
        /* The last of the tree's memory: the bounds of the top level's only node. */
        assert_true((uintptr_t)(tree->bounds[tree->top_level] + 1) <= records_end);
        assert_null(frame_machine_problem(frames));
        machine->rows[1].size_bytes += 64 * 4096; /* one more word of bits */
    }
    frame_machine_destroy(machine);
}

/* The records fill a whole region exactly, so the region is not managed any more. */
static void test_records_may_take_a_whole_region(void **state)
{
    (void)state;
    for (uint64_t pages = 1; pages <= 4; pages++) {
        struct frame_machine *machine = frame_machine_create();
        frame_machine_add(machine, 4096, 16 * MIB, HANDOFF_REGION_LOADER);
        frame_machine_add(machine, 4096 + 16 * MIB, pages * 4096, HANDOFF_REGION_USABLE);
        frame_machine_add(machine, 4096 + 16 * MIB + pages * 4096, MIB, HANDOFF_REGION_LOADER);
        frame_machine_add_memory(machine, 32 * MIB);
        enum frame_allocator_status status = frame_machine_start(machine, NULL);
        if (status == FRAME_ALLOCATOR_OK)
            assert_null(frame_machine_problem(&machine->frames));
        else
            assert_int_equal(status, FRAME_ALLOCATOR_NO_ROOM);
        assert_int_equal(status == FRAME_ALLOCATOR_OK, pages >= 2);
        frame_machine_destroy(machine);
    }
}

/* Only a few pages of the 2 GiB of records for 64 TiB are written, as for 16 TiB. The cost depends
 * on the rows. */
static uint64_t touched_record_pages(uint64_t ram_bytes)
{
    struct frame_machine *machine = frame_machine_create();
    uint64_t count = 0;
    for (uint64_t i = 0; i < 16; i++)
        frame_machine_add(machine, 0x1000 + i * (ram_bytes / 8), ram_bytes / 16,
                          HANDOFF_REGION_USABLE);
    uint64_t end = machine->rows[15].base + machine->rows[15].size_bytes;
    frame_machine_add_memory_below(machine, end, page_align_up(ram_bytes / 4096 / 6 + 4 * MIB));
    assert_int_equal(frame_machine_start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
    uint64_t page_count = machine->memory_size_bytes / 4096;
    unsigned char *resident = calloc(page_count, 1);
    assert_int_equal(mincore(machine->memory, machine->memory_size_bytes, resident), 0);
    for (uint64_t i = 0; i < page_count; i++)
        count += resident[i] & 1;
    free(resident);
    frame_machine_destroy(machine);
    return count;
}

static void test_initialising_does_not_grow_with_ram(void **state)
{
    uint64_t pages_of_64_tib = touched_record_pages(64 * TIB);
    (void)state;
    assert_in_range(pages_of_64_tib, 1, 120);
    assert_in_range(pages_of_64_tib, 1, touched_record_pages(16 * TIB) + 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_M1_empty_map_is_refused),
        cmocka_unit_test(test_M2_map_that_is_not_normalised_is_refused),
        cmocka_unit_test(test_M10_M11_only_proven_ram_is_managed),
        cmocka_unit_test(test_M10_regions_of_unknown_types_follow_their_facts),
        cmocka_unit_test(test_M17_region_above_52_bits_is_refused),
        cmocka_unit_test(test_M18_records_are_sized_only_by_ram),
        cmocka_unit_test(test_M19_too_little_ram_is_refused_with_the_figure),
        cmocka_unit_test(test_F9_no_room_for_the_records_is_refused),
        cmocka_unit_test(test_F9_half_of_the_early_heap_stays_free),
        cmocka_unit_test(test_records_in_ram_are_never_given),
        cmocka_unit_test(test_records_in_ram_fit_exactly_at_every_size),
        cmocka_unit_test(test_records_may_take_a_whole_region),
        cmocka_unit_test(test_initialising_does_not_grow_with_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
