/* Frame allocator: catalogue groups F and M, maps of real machines, and random operations beside an
 * oracle. */
#define _DEFAULT_SOURCE /* mmap with MAP_NORESERVE: this is a host program */

#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/mm/frames/bit_tree_bound.h"
#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/frames/frame_reserve.h"
#include "shared/direct_map.h"
#include "shared/region.h"
#include "tests/unit/support/frame_operations.h"
#include "tests/unit/support/memory_map_file.h"
#include "tests/unit/support/panic_stub.h"
#include "tests/unit/support/random.h"

#define ROWS_MAX 1024

/* A machine: its regions, an early heap, and memory that is only there when it is touched. */
struct machine {
    struct handoff_region rows[ROWS_MAX];
    struct region_list regions;
    unsigned char *early_heap_region;
    struct early_heap early_heap;
    unsigned char *memory; /* NULL if the records fit into the early heap */
    uint64_t memory_size_bytes;
    uint64_t direct_map_base;
    struct frame_allocator frames;
};

#define EARLY_HEAP_BYTES (1024U * 1024U)

static struct machine *machine_create(void)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    machine->regions = (struct region_list){machine->rows, 0, sizeof(machine->rows[0])};
    machine->early_heap_region = aligned_alloc(4096, EARLY_HEAP_BYTES);
    assert_int_equal(early_heap_initialise(&machine->early_heap,
                                           virt_addr((uintptr_t)machine->early_heap_region),
                                           EARLY_HEAP_BYTES),
                     EARLY_HEAP_OK);
    return machine;
}

static void machine_destroy(struct machine *machine)
{
    if (machine->memory != NULL)
        munmap(machine->memory, machine->memory_size_bytes);
    free(machine->early_heap_region);
    free(machine);
}

static void add_row(struct machine *machine, uint64_t base, uint64_t size_bytes, uint32_t type)
{
    assert_true(machine->regions.count < ROWS_MAX);
    machine->rows[machine->regions.count++] =
        region_make(base, size_bytes, type, HANDOFF_EFI_TYPE_NONE, 0xf);
}

/* Give the machine real, sparse memory at [end - size_bytes, end), for records that are carved from
 * it. */
static void add_memory_below(struct machine *machine, uint64_t end, uint64_t size_bytes)
{
    machine->memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(machine->memory != MAP_FAILED);
    machine->memory_size_bytes = size_bytes;
    machine->direct_map_base = (uint64_t)(uintptr_t)machine->memory - (end - size_bytes);
}

static void add_memory(struct machine *machine, uint64_t size_bytes)
{
    add_memory_below(machine, size_bytes, size_bytes);
}

static struct phys_range bytes_at(uint64_t base, uint64_t size_bytes)
{
    return phys_range(base, base + size_bytes);
}

static enum frame_allocator_status start(struct machine *machine, struct early_heap *early_heap)
{
    return frame_allocator_initialise(&machine->frames, &machine->regions, early_heap,
                                      virt_addr(machine->direct_map_base));
}

static void assert_sound(const struct frame_allocator *frames)
{
    const char *problem = frame_allocator_check(frames);
    struct frame_allocator_statistics statistics = frame_allocator_statistics(frames);
    if (problem != NULL)
        fail_msg("frame_allocator_check: %s", problem);
    assert_int_equal(statistics.free_count + statistics.used_count + statistics.cached_count +
                         statistics.reserved_count,
                     statistics.total_count);
}

/* Bring the machine up with its records in the early heap. */
static struct frame_allocator *start_or_fail(struct machine *machine)
{
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
    assert_true(phys_range_is_empty(machine->frames.records.own));
    assert_sound(&machine->frames);
    return &machine->frames;
}

/* A usual small machine; in frames: a hole, RAM of several holders, a hole of firmware's, MMIO. */
static struct machine *small_machine(void)
{
    struct machine *machine = machine_create();
    add_row(machine, 0, 160 * 4096, HANDOFF_REGION_USABLE);
    add_row(machine, 512 * 4096, 7680 * 4096, HANDOFF_REGION_USABLE);
    add_row(machine, 8192 * 4096, 808 * 4096, HANDOFF_REGION_LOADER);
    add_row(machine, 9000 * 4096, 100 * 4096, HANDOFF_REGION_RUNTIME_DATA);
    add_row(machine, 9100 * 4096, 64 * 4096, HANDOFF_REGION_TEMP_HEAP);
    add_row(machine, 9164 * 4096, 16 * 4096, HANDOFF_REGION_KERNEL_IMAGE);
    add_row(machine, 9180 * 4096, 10 * 4096, HANDOFF_REGION_USABLE);
    add_row(machine, 9190 * 4096, 10 * 4096, HANDOFF_REGION_MMIO);
    return machine;
}
#define SMALL_FREE_AT_FIRST (159 + 7680 + 10)
#define SMALL_TOTAL         (160 + 7680 + 808 + 100 + 64 + 16 + 10)

static uint64_t exhaust(struct frame_allocator *frames, struct phys_addr *taken, uint64_t capacity)
{
    uint64_t count = 0;
    struct phys_addr frame;
    while (frame_allocator_allocate(frames, &frame)) {
        if (count < capacity)
            taken[count] = frame;
        count++;
    }
    return count;
}

/* --- Group M: what the map says -----------------------------------------------------------------
 */

static void test_M1_empty_map_is_refused(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_MAP_EMPTY);
    machine_destroy(machine);
}

static void test_M2_map_that_is_not_normalised_is_refused(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    add_row(machine, 64 * MIB, 64 * MIB, HANDOFF_REGION_USABLE);
    add_row(machine, 96 * MIB, 64 * MIB, HANDOFF_REGION_USABLE);
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_MAP_NOT_NORMALISED);
    machine->rows[1].base = 0;
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_MAP_NOT_NORMALISED);
    machine_destroy(machine);
}

static void test_M10_M11_only_proven_ram_is_managed(void **state)
{
    struct machine *machine = machine_create();
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
    add_row(machine, 0x100000, 32 * MIB, HANDOFF_REGION_USABLE);
    for (size_t i = 0; i < never_count; i++)
        add_row(machine, (64 + i) * MIB, MIB, never[i]);
    struct frame_allocator *frames = start_or_fail(machine);
    assert_int_equal(frame_allocator_statistics(frames).free_count, 32 * MIB / 4096);
    /* The firmware's three kinds are RAM, and count in the total as reserved. */
    assert_int_equal(frame_allocator_statistics(frames).total_count, (32 + 3) * MIB / 4096);
    for (size_t i = 0; i < never_count; i++) {
        volatile bool reclaimed = false;
        assert_int_equal(frame_allocator_reclaim_reusable(frames, region_type_reuse(never[i])), 0);
        expect_panic(PANIC_FRAME_FREE,
                     reclaimed = frame_allocator_reclaim(frames, bytes_at((64 + i) * MIB, 4096)));
        assert_false(reclaimed);
    }
    assert_int_equal(exhaust(frames, NULL, 0), 32 * MIB / 4096);
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_M14_frame_zero_is_never_given(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    add_row(machine, 0, 4096, HANDOFF_REGION_LOADER);
    add_row(machine, 4096, 32 * MIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = start_or_fail(machine);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 0);
    assert_true(frame_allocator_reclaim(frames, bytes_at(0, 4096)));
    struct phys_addr base;
    assert_false(frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(0, 4096), &base));
    assert_int_equal(frame_allocator_statistics(frames).reserved_count, 1);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(0)));
    assert_sound(frames);
    machine_destroy(machine);

    machine = small_machine(); /* frame 0 is usable there, says the map */
    frames = start_or_fail(machine);
    assert_int_equal(exhaust(frames, NULL, 0), SMALL_FREE_AT_FIRST);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(0)));
    machine_destroy(machine);
}

static void test_M15_M16_held_ram_is_kept_until_it_is_reclaimed(void **state)
{
    const uint32_t types[] = {HANDOFF_REGION_LOADER,      HANDOFF_REGION_ACPI_RECLAIM,
                              HANDOFF_REGION_TEMP_HEAP,   HANDOFF_REGION_STACK,
                              HANDOFF_REGION_PAGE_TABLES, HANDOFF_REGION_HANDOFF_DATA};
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct machine *machine = machine_create();
        add_row(machine, 4096, 16 * MIB, HANDOFF_REGION_USABLE);
        add_row(machine, 4096 + 16 * MIB, MIB, types[i]);
        struct frame_allocator *frames = start_or_fail(machine);
        assert_int_equal(exhaust(frames, NULL, 0), 4096);
        expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(4096 + 16 * MIB)));
        assert_int_equal(frame_allocator_reclaim_reusable(frames, region_type_reuse(types[i])),
                         256);
        assert_int_equal(frame_allocator_reclaim_reusable(frames, region_type_reuse(types[i])), 0);
        assert_int_equal(exhaust(frames, NULL, 0), 256);
        assert_sound(frames);
        machine_destroy(machine);
    }
}

/* The kernel goes by what a region says of itself: a newer loader may have types of its own. */
static void test_M10_regions_of_unknown_types_follow_their_facts(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    add_row(machine, 4096, 16 * MIB, HANDOFF_REGION_USABLE);
    add_row(machine, 32 * MIB, MIB, 0x777);
    add_row(machine, 64 * MIB, MIB, 0x778);
    add_row(machine, 96 * MIB, MIB, 0x779);
    add_row(machine, 128 * MIB, MIB, 0x77a);
    const uint32_t usable = HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE;
    for (unsigned i = 1; i < 4; i++)
        machine->rows[i].facts = usable;
    machine->rows[1].reuse = HANDOFF_REUSE_AT_ENTRY;
    machine->rows[2].reuse = HANDOFF_REUSE_AFTER_COPY;
    machine->rows[3].reuse = 256 + HANDOFF_REUSE_AT_ENTRY; /* unknown: never */
    struct frame_allocator *frames = start_or_fail(machine);
    assert_int_equal(frame_allocator_statistics(frames).free_count, 4096 + 256);
    assert_int_equal(frame_allocator_statistics(frames).total_count, 4096 + 3 * 256);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 0);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_COPY), 256);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_NEVER), 0);
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_M17_region_above_52_bits_is_refused(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    add_row(machine, 4096, 32 * MIB, HANDOFF_REGION_USABLE);
    add_row(machine, UINT64_C(1) << 52, 4096, HANDOFF_REGION_USABLE);
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_MAP_NOT_NORMALISED);
    machine->rows[1].base = (UINT64_C(1) << 52) - 4096;
    struct phys_addr frame;
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
    assert_true(frame_allocator_allocate(&machine->frames, &frame));
    assert_int_equal(frame.value, (UINT64_C(1) << 52) - 4096);
    machine_destroy(machine);
}

static void test_M18_records_are_sized_by_ram_alone(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    add_row(machine, 4096, 64 * MIB, HANDOFF_REGION_USABLE);
    add_row(machine, 16 * TIB, TIB, HANDOFF_REGION_MMIO);
    add_row(machine, 18 * TIB, 64 * MIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = start_or_fail(machine);
    assert_true(frames->records.size_bytes < 16 * KIB);
    machine_destroy(machine);
}

static void test_M19_too_little_ram_is_refused_with_the_figure(void **state)
{
    struct machine *machine = machine_create();
    struct early_heap before = machine->early_heap;
    (void)state;
    add_row(machine, 4096, 8 * MIB, HANDOFF_REGION_USABLE);
    add_row(machine, 4096 + 8 * MIB, 8 * MIB - 4096, HANDOFF_REGION_BOOT_SERVICES);
    add_row(machine, 64 * MIB, 64 * MIB, HANDOFF_REGION_RUNTIME_DATA);
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_TOO_LITTLE_RAM);
    assert_int_equal(frame_allocator_available_bytes(&machine->regions), 16 * MIB - 4096);
    assert_memory_equal(&before, &machine->early_heap, sizeof(before));
    machine->rows[1].size_bytes += 4096;
    start_or_fail(machine);
    machine_destroy(machine);
}

static void test_M21_runtime_services_memory_is_never_reclaimed(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
    volatile bool reclaimed = false;
    (void)state;
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_NEVER), 0);
    expect_panic(PANIC_FRAME_FREE,
                 reclaimed = frame_allocator_reclaim(frames, bytes_at(9000 * 4096, 4096)));
    /* A range that only touches it changes nothing either. */
    expect_panic(PANIC_FRAME_FREE,
                 reclaimed = frame_allocator_reclaim(frames, bytes_at(8999 * 4096, 2 * 4096)));
    assert_false(reclaimed);
    assert_int_equal(frame_allocator_statistics(frames).free_count, SMALL_FREE_AT_FIRST);
    assert_sound(frames);
    machine_destroy(machine);
}

/* --- Group F: operations -------------------------------------------------------------------------
 */

static void test_F1_exhaustion_is_refused_and_a_free_helps(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
    struct phys_addr taken[2];
    struct phys_addr frame = {1};
    (void)state;
    assert_int_equal(exhaust(frames, taken, 2), SMALL_FREE_AT_FIRST);
    assert_false(frame_allocator_allocate(frames, &frame));
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 1, FRAME_ALLOCATOR_ANYWHERE, &frame));
    assert_int_equal(frame.value, 1);
    assert_sound(frames);
    frame_allocator_free(frames, taken[1]);
    assert_true(frame_allocator_allocate(frames, &frame));
    assert_int_equal(frame.value, taken[1].value);
    assert_false(frame_allocator_allocate(frames, &frame));
    machine_destroy(machine);
}

static void test_F2_double_free_panics(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
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
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F3_free_of_reserved_or_mmio_panics(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
    const uint64_t reserved[] = {0, 160, 511, 8192, 8999, 9000, 9100, 9163, 9164, 9190, 9199};
    (void)state;
    assert_int_equal(exhaust(frames, NULL, 0), SMALL_FREE_AT_FIRST);
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(reserved[i] * 4096)));
    /* A run that begins well and reaches into what is reserved. */
    expect_panic(PANIC_FRAME_FREE,
                 frame_allocator_free_contiguous(frames, phys_addr(8191 * 4096), 2));
    assert_int_equal(frame_allocator_statistics(frames).free_count, 0);
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F4_free_of_an_unaligned_address_panics(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
    struct phys_addr frame;
    volatile bool reclaimed = false;
    (void)state;
    assert_true(frame_allocator_allocate(frames, &frame));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr_add(frame, 1)));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr_add(frame, 4095)));
    expect_panic(PANIC_FRAME_FREE,
                 reclaimed = frame_allocator_reclaim(frames, bytes_at(9100 * 4096 + 8, 4096)));
    expect_panic(PANIC_FRAME_FREE,
                 reclaimed = frame_allocator_reclaim(frames, bytes_at(9100 * 4096, 4097)));
    assert_false(reclaimed);
    frame_allocator_free(frames, frame);
    machine_destroy(machine);
}

static void test_F5_free_out_of_range_panics(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
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
    expect_panic(PANIC_FRAME_FREE,
                 reclaimed = frame_allocator_reclaim(frames, bytes_at(4096, ~PAGE_MASK)));
    assert_false(reclaimed);
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F6_impossible_counts_and_alignments_are_refused(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
    struct phys_addr base = {1};
    const uint64_t counts[] = {0, SMALL_FREE_AT_FIRST, UINT64_C(1) << 52, UINT64_MAX - 1,
                               UINT64_MAX};
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
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F7_runs_never_span_a_hole(void **state)
{
    struct machine *machine = machine_create();
    struct phys_addr base;
    (void)state;
    /* Holes of one frame, of a word and of much; blocks that end exactly at a word of the bits. */
    add_row(machine, 64 * 4096, 64 * 4096, HANDOFF_REGION_USABLE);
    add_row(machine, 129 * 4096, 63 * 4096, HANDOFF_REGION_USABLE);
    add_row(machine, 256 * 4096, 64 * 4096, HANDOFF_REGION_USABLE);
    add_row(machine, 4096 * 4096, 4096 * 4096, HANDOFF_REGION_LOADER);
    struct frame_allocator *frames = start_or_fail(machine);
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
    assert_sound(frames);
    machine_destroy(machine);
}

/* Spans of one frame in the same 64 frames: their bits are further apart than they are. */
static void test_F7_single_frames_with_holes_between(void **state)
{
    struct machine *machine = machine_create();
    struct phys_addr base;
    (void)state;
    for (uint64_t frame = 1; frame < 64; frame += 2)
        add_row(machine, frame * 4096, 4096, HANDOFF_REGION_USABLE);
    add_row(machine, 64 * 4096, 16 * MIB, HANDOFF_REGION_LOADER);
    struct frame_allocator *frames = start_or_fail(machine);
    assert_false(
        frame_allocator_allocate_contiguous(frames, 2, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    for (uint64_t frame = 65; frame > 1; frame -= 2) {
        assert_true(
            frame_allocator_allocate_contiguous(frames, 1, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
        assert_int_equal(base.value, (frame - 2) * 4096);
    }
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 1, FRAME_ALLOCATOR_ANYWHERE, &base));
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F7_runs_span_regions_that_touch_once_both_are_free(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
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
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F8_alignment_is_honoured_or_refused(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
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
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F8_1_gib_alignment(void **state)
{
    struct machine *machine = machine_create();
    struct phys_addr base;
    (void)state;
    add_row(machine, 0x100000, 3 * GIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = start_or_fail(machine);
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
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_runs_end_at_or_below_the_limit(void **state)
{
    struct machine *machine = machine_create();
    struct phys_addr base;
    (void)state;
    add_row(machine, 0x10000, 0x90000, HANDOFF_REGION_USABLE);
    add_row(machine, 0x100000, 3 * GIB, HANDOFF_REGION_USABLE);
    add_row(machine, 4 * GIB, 4 * GIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = start_or_fail(machine);
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
    machine_destroy(machine);
}

static void test_runs_between_two_addresses(void **state)
{
    struct machine *machine = machine_create();
    struct phys_addr base;
    (void)state;
    add_row(machine, 0x10000, 0x90000, HANDOFF_REGION_USABLE);
    add_row(machine, 0x100000, 3 * GIB, HANDOFF_REGION_USABLE);
    add_row(machine, 4 * GIB, 4 * GIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = start_or_fail(machine);
    assert_true(
        frame_allocator_allocate_contiguous(frames, 4, 1, phys_range(4 * GIB, 5 * GIB), &base));
    assert_int_equal(base.value, 5 * GIB - 4 * 4096);
    /* Bounds that are not aligned to frames: the run lies between them. */
    assert_true(frame_allocator_allocate_contiguous(
        frames, 1, 1, phys_range(GIB + 1, GIB + 3 * 4096 - 1), &base));
    assert_int_equal(base.value, GIB + 4096);
    assert_false(
        frame_allocator_allocate_contiguous(frames, 1, 1, phys_range(GIB + 1, GIB + 4096), &base));
    /* The last that there is at or above an address, the first GiB page above 4 GiB, and none. */
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
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F9_no_room_for_the_records_is_refused(void **state)
{
    struct machine *machine = machine_create();
    struct early_heap before = machine->early_heap;
    (void)state;
    /* 1 TiB that is not usable yet needs 32 MiB of records; usable is only one piece of 16 MiB. */
    add_row(machine, 16 * MIB, 16 * MIB, HANDOFF_REGION_USABLE);
    add_row(machine, GIB, TIB, HANDOFF_REGION_LOADER);
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_NO_ROOM);
    assert_int_equal(start(machine, NULL), FRAME_ALLOCATOR_NO_ROOM);
    assert_memory_equal(&before, &machine->early_heap, sizeof(before));
    machine_destroy(machine);
}

static void test_F9_half_of_the_early_heap_stays_free(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    add_row(machine, 0x100000, 64 * MIB, HANDOFF_REGION_USABLE);
    add_memory(machine, 65 * MIB);
    assert_non_null(early_heap_allocate(&machine->early_heap, EARLY_HEAP_BYTES / 2 - 1000, 8));
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
    assert_false(phys_range_is_empty(machine->frames.records.own));
    assert_int_equal(early_heap_statistics(&machine->early_heap).allocation_count, 1);
    assert_sound(&machine->frames);
    machine_destroy(machine);
}

/* The records stand at the end of the highest usable region that is large enough, and are neither
 * given nor taken. */
static void test_records_in_ram_are_never_given(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    add_row(machine, 0x100000, 64 * MIB, HANDOFF_REGION_USABLE);
    add_row(machine, 65 * MIB, MIB, HANDOFF_REGION_LOADER);   /* touches: the span is parted */
    add_row(machine, 128 * MIB, 4096, HANDOFF_REGION_USABLE); /* too small */
    add_memory(machine, 129 * MIB);
    assert_int_equal(start(machine, NULL), FRAME_ALLOCATOR_OK);
    struct frame_allocator *frames = &machine->frames;
    uint64_t record_frames = frames->records.size_bytes / 4096;
    assert_int_equal(frames->records.own.start.value + frames->records.size_bytes, 65 * MIB);
    assert_sound(frames);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 256);
    assert_int_equal(exhaust(frames, NULL, 0), 64 * MIB / 4096 + 256 + 1 - record_frames);
    for (uint64_t i = 0; i < record_frames; i++)
        expect_panic(
            PANIC_FRAME_FREE,
            frame_allocator_free(frames, phys_addr_add(frames->records.own.start, i * 4096)));
    assert_int_equal(frame_allocator_statistics(frames).reserved_count, record_frames);
    assert_sound(frames);
    machine_destroy(machine);
}

/* At every size of the records, and so also where the rounding to pages leaves nothing over, they
 * end where their memory ends, although carving them parts a span. */
static void test_records_in_ram_fit_exactly_at_every_size(void **state)
{
    struct machine *machine = machine_create();
    (void)state;
    /* They touch in the middle of a word, which both parts then have for themselves. */
    add_row(machine, 64 * 4096, 16 * MIB + 40 * 4096, HANDOFF_REGION_USABLE);
    add_row(machine, 104 * 4096 + 16 * MIB, 4096, HANDOFF_REGION_LOADER);
    add_memory(machine, 256 * MIB);
    for (unsigned step = 0; step < 512; step++) {
        assert_int_equal(start(machine, NULL), FRAME_ALLOCATOR_OK);
        const struct frame_allocator *frames = &machine->frames;
        const struct bit_tree *tree = &frames->free_frames;
        uint64_t records_end =
            machine->direct_map_base + frames->records.own.start.value + frames->records.size_bytes;
        /* The last of the tree's memory: the bounds of the top level's only node. */
        assert_true((uintptr_t)(tree->bounds[tree->top_level] + 1) <= records_end);
        assert_sound(frames);
        machine->rows[1].size_bytes += 64 * 4096; /* one more word of bits */
    }
    machine_destroy(machine);
}

/* The whole of a region is just enough for the records: it vanishes from what is managed. */
static void test_records_may_take_a_whole_region(void **state)
{
    (void)state;
    for (uint64_t pages = 1; pages <= 4; pages++) {
        struct machine *machine = machine_create();
        add_row(machine, 4096, 16 * MIB, HANDOFF_REGION_LOADER);
        add_row(machine, 4096 + 16 * MIB, pages * 4096, HANDOFF_REGION_USABLE);
        add_row(machine, 4096 + 16 * MIB + pages * 4096, MIB, HANDOFF_REGION_LOADER);
        add_memory(machine, 32 * MIB);
        enum frame_allocator_status status = start(machine, NULL);
        if (status == FRAME_ALLOCATOR_OK)
            assert_sound(&machine->frames);
        else
            assert_int_equal(status, FRAME_ALLOCATOR_NO_ROOM);
        assert_int_equal(status == FRAME_ALLOCATOR_OK, pages >= 2);
        machine_destroy(machine);
    }
}

static void test_F10_frames_beyond_a_total_that_is_no_multiple_of_64_stay_used(void **state)
{
    (void)state;
    for (uint64_t extra = 0; extra < 130; extra++) {
        struct machine *machine = machine_create();
        uint64_t end = (17 * MIB / 4096 + extra) * 4096;
        add_row(machine, 4096, end - 4096, HANDOFF_REGION_USABLE);
        struct frame_allocator *frames = start_or_fail(machine);
        struct phys_addr highest;
        assert_int_equal(exhaust(frames, &highest, 1), end / 4096 - 1);
        assert_int_equal(highest.value, end - 4096);
        assert_sound(frames);
        machine_destroy(machine);
    }
}

static void test_F11_temp_heap_frames_are_released_exactly_once(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
    volatile bool reclaimed = false;
    uint64_t base = 9100 * 4096;
    (void)state;
    assert_true(frame_allocator_reclaim(frames, bytes_at(base + 20 * 4096, 44 * 4096)));
    assert_int_equal(frame_allocator_statistics(frames).free_count, SMALL_FREE_AT_FIRST + 44);
    assert_sound(frames);
    expect_panic(PANIC_FRAME_FREE, reclaimed = frame_allocator_reclaim(
                                       frames, bytes_at(base + 20 * 4096, 44 * 4096)));
    expect_panic(PANIC_FRAME_FREE,
                 reclaimed = frame_allocator_reclaim(frames, bytes_at(base + 63 * 4096, 4096)));
    expect_panic(PANIC_FRAME_FREE,
                 reclaimed = frame_allocator_reclaim(frames, bytes_at(base, 21 * 4096)));
    assert_false(reclaimed);
    assert_int_equal(frame_allocator_statistics(frames).free_count, SMALL_FREE_AT_FIRST + 44);
    /* What was kept is still reserved, and is free after its own reclaim. */
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, phys_addr(base + 19 * 4096)));
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_HEAP), 20);
    assert_true(frame_allocator_reclaim(frames, bytes_at(base, 0)));
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F11_one_reclaim_may_span_regions(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
    (void)state;
    /* The temporary heap's last frame and the image's first two. */
    assert_true(frame_allocator_reclaim(frames, bytes_at(9163 * 4096, 3 * 4096)));
    assert_int_equal(frame_allocator_statistics(frames).free_count, SMALL_FREE_AT_FIRST + 3);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_HEAP), 63);
    assert_true(frame_allocator_reclaim(frames, bytes_at(9166 * 4096, 14 * 4096)));
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_reclaim_is_refused_when_the_records_are_full(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
    uint64_t frame = 8193;
    (void)state;
    for (unsigned i = 0; i < FRAME_RECORDS_SPLITS_MAX; i++, frame += 2)
        assert_true(frame_allocator_reclaim(frames, bytes_at(frame * 4096, 4096)));
    assert_sound(frames);
    uint64_t free_count = frame_allocator_statistics(frames).free_count;
    assert_false(frame_allocator_reclaim(frames, bytes_at(frame * 4096, 4096)));
    assert_int_equal(frame_allocator_statistics(frames).free_count, free_count);
    assert_sound(frames);
    /* What needs no new record still comes back. */
    assert_true(frame_allocator_reclaim(frames, bytes_at(8192 * 4096, 4096)));
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER),
                     808 - FRAME_RECORDS_SPLITS_MAX - 1);
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_F13_frames_above_4_gib_and_2_to_the_44_are_not_truncated(void **state)
{
    struct machine *machine = machine_create();
    const uint64_t bases[] = {UINT64_C(1) << 33, UINT64_C(1) << 45, UINT64_C(1) << 51};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        add_row(machine, bases[i], 16 * MIB, HANDOFF_REGION_USABLE);
    struct frame_allocator *frames = start_or_fail(machine);
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
    assert_sound(frames);
    machine_destroy(machine);
}

static void test_check_finds_each_broken_record(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
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
    /* A frame becomes free behind the allocator's back: one beyond all RAM, and frame 0. */
    bit_tree_insert(&good.free_frames,
                    bit_range(good.free_frames.bit_count - 1, good.free_frames.bit_count));
    assert_non_null(frame_allocator_check(&good));
    bit_tree_remove(&good.free_frames,
                    bit_range(good.free_frames.bit_count - 1, good.free_frames.bit_count));
    assert_null(frame_allocator_check(&good));
    bit_tree_insert(&good.free_frames, bit_range(0, 1));
    assert_non_null(frame_allocator_check(&good));
    machine_destroy(machine);
}

/* --- Maps of real machines
 * ------------------------------------------------------------------------ */

static void convert_map(struct machine *machine, const char *path)
{
    static struct memory_map_descriptor rows[ROWS_MAX / 2];
    static uint64_t work[ROWS_MAX];
    size_t row_count = memory_map_file_read(path, rows, ROWS_MAX / 2);
    const struct memory_map_request request = {
        .map = rows,
        .size_bytes = row_count * sizeof(rows[0]),
        .stride_bytes = sizeof(rows[0]),
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
    };
    const struct memory_map_room room = {work, ROWS_MAX, machine->rows, ROWS_MAX};
    struct memory_map_result result = {0};
    enum memory_map_status status = memory_map_convert(&request, &room, &result);
    if (status != MEMORY_MAP_OK && status != MEMORY_MAP_EMPTY)
        fail_msg("%s: %s", path, memory_map_status_text(status));
    machine->regions.count = (uint32_t)result.region_count;
}

static void assert_usable(const struct machine *machine, struct phys_addr base, uint64_t size_bytes)
{
    uint64_t covered_end = base.value;
    for (uint32_t i = 0; i < machine->regions.count; i++) {
        const struct handoff_region *row = &machine->rows[i];
        if (row->reuse == HANDOFF_REUSE_AT_ENTRY && row->base <= covered_end &&
            covered_end - row->base < row->size_bytes)
            covered_end = row->base + row->size_bytes;
    }
    assert_true(covered_end >= base.value + size_bytes);
    assert_true(base.value > 0);
}

static void run_real_map(const char *path, void *context)
{
    struct machine *machine = machine_create();
    (void)context;
    convert_map(machine, path);
    uint64_t available_bytes =
        machine->regions.count > 0 ? frame_allocator_available_bytes(&machine->regions) : 0;
    add_memory(machine, 16 * TIB);
    enum frame_allocator_status status = start(machine, &machine->early_heap);
    assert_int_equal(status == FRAME_ALLOCATOR_OK,
                     available_bytes >= FRAME_ALLOCATOR_RAM_MIN_BYTES);
    /* A map of which only a part is known may have little at entry. */
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
            assert_usable(machine, singles[i], 4096);
        }
        assert_true(
            frame_allocator_allocate_contiguous(frames, 512, 512, FRAME_ALLOCATOR_ANYWHERE, &run));
        assert_usable(machine, run, 2 * MIB);
        assert_sound(frames);
        frame_allocator_free_contiguous(frames, run, 512);
        for (size_t i = 0; i < 500; i++)
            frame_allocator_free(frames, singles[i]);
        assert_int_equal(frame_allocator_statistics(frames).free_count, free_count);
        assert_sound(frames);
    }
    machine_destroy(machine);
}

static void test_M18_F13_every_real_map(void **state)
{
    (void)state;
    assert_true(memory_map_file_each(run_real_map, NULL) >= 7);
}

/* --- Who holds what ------------------------------------------------------------------------------
 */

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

/* Every row of the map is listed, whole and once, and the frames of all states are the total. */
static void assert_ownership_closes(const struct machine *machine)
{
    struct frame_allocator_statistics sum = frame_allocator_statistics(&machine->frames);
    uint64_t listed_count = 0;
    uint64_t row_count = 0;
    uint64_t ram_count = 0;
    uint64_t released_count = 0;
    uint64_t free_count = 0;
    for (uint32_t i = 0; i < machine->regions.count; i++)
        row_count += machine->rows[i].size_bytes / 4096;
    for (uint32_t i = 0; i < frame_allocator_holding_count(&machine->frames); i++) {
        struct frame_holding holding = frame_allocator_holding(&machine->frames, i);
        uint64_t frame_count = frame_range_count(holding.frames);
        struct phys_range bytes =
            phys_range(holding.frames.start * 4096, holding.frames.end * 4096);
        assert_true(region_list_covers(&machine->regions, bytes, holding.type));
        listed_count += frame_count;
        ram_count += holding.is_ram ? frame_count : 0;
        released_count += holding.released ? frame_count : 0;
        free_count += holding.free_count;
    }
    assert_int_equal(listed_count, row_count);
    assert_int_equal(ram_count, sum.total_count);
    assert_int_equal(released_count, sum.free_count + sum.used_count + sum.cached_count);
    assert_int_equal(free_count, sum.free_count);
}

static void test_each_holder_is_on_record_with_when_it_gave_back(void **state)
{
    struct machine *machine = small_machine();
    struct frame_allocator *frames = start_or_fail(machine);
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
    assert_ownership_closes(machine);

    frame_allocator_begin_phase(frames, "audited", 1000);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), 808);
    frame_allocator_begin_phase(frames, "retired", 2000);
    assert_true(frame_allocator_reclaim(frames, bytes_at(9110 * 4096, 54 * 4096)));
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
    assert_ownership_closes(machine);
    machine_destroy(machine);

    machine = machine_create();
    add_row(machine, 0x100000, 64 * MIB, HANDOFF_REGION_USABLE);
    add_memory(machine, 65 * MIB);
    assert_int_equal(start(machine, NULL), FRAME_ALLOCATOR_OK);
    uint64_t first = machine->frames.records.own.start.value / 4096;
    assert_string_equal(holding_at(&machine->frames, first).holder, "frame-records");
    assert_string_equal(holding_at(&machine->frames, first - 1).holder, "usable");
    assert_ownership_closes(machine);
    machine_destroy(machine);
}

/* --- Generated maps, 64 MiB to 64 TiB ------------------------------------------------------------
 */

/* Half of the RAM in many rows of all kinds with holes between, then a large usable row beyond a
 * device at 16 TiB if there is so much. Returns where it ends. */
static uint64_t generate_map(struct machine *machine, uint64_t ram_bytes, struct random *random)
{
    uint64_t next = 0;
    uint64_t left = ram_bytes / 2;
    while (left > 0 && machine->regions.count < 300) {
        uint64_t size = (1 + random_below(random, ram_bytes / 100 / 4096)) * 4096;
        size = size < left ? size : left;
        uint32_t kind = (uint32_t)random_below(random, 30);
        add_row(machine, next, size, kind < 19 ? kind : HANDOFF_REGION_USABLE);
        left -= size;
        next += size + (random_below(random, 3) == 0 ? random_below(random, 5000) * 4096 : 0);
    }
    if (ram_bytes > 16 * TIB)
        add_row(machine, next, TIB, HANDOFF_REGION_MMIO);
    next += TIB;
    add_row(machine, next, ram_bytes / 2, HANDOFF_REGION_USABLE);
    return next + ram_bytes / 2;
}

static uint64_t count_frames_of_type(const struct machine *machine, uint32_t type)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < machine->regions.count; i++) {
        bool counts = machine->rows[i].type == type;
        bool has_frame_zero = counts && machine->rows[i].base == 0;
        count += counts ? machine->rows[i].size_bytes / 4096 - has_frame_zero : 0;
    }
    return count;
}

static void assert_given_run(struct machine *machine, uint64_t frame_count, uint64_t alignment,
                             uint64_t lowest, uint64_t limit)
{
    struct frame_allocator *frames = &machine->frames;
    struct phys_addr base;
    assert_true(frame_allocator_allocate_contiguous(frames, frame_count, alignment,
                                                    phys_range(lowest, limit), &base));
    assert_int_equal(base.value / 4096 % alignment, 0);
    assert_true(base.value >= lowest && base.value + frame_count * 4096 <= limit);
    assert_usable(machine, base, frame_count * 4096);
    assert_sound(frames);
    /* F2: double, also of a part, and nothing has changed. */
    frame_allocator_free(frames, base);
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free(frames, base));
    expect_panic(PANIC_FRAME_FREE, frame_allocator_free_contiguous(frames, base, frame_count));
    if (frame_count > 1)
        frame_allocator_free_contiguous(frames, phys_addr_add(base, 4096), frame_count - 1);
    assert_sound(frames);
}

/* F3, F5: the first frame of each row that is not usable, and of each hole behind one. */
static void assert_foreign_frees_are_found(struct machine *machine)
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
    struct machine *machine = machine_create();
    struct frame_allocator *frames = &machine->frames;
    uint64_t end = generate_map(machine, ram_bytes, random);
    add_memory_below(machine, end, page_align_up(ram_bytes / 4096 / 6 + 4 * MIB));
    /* A host that gives 2 MiB for the first byte of them would be counted instead. */
    (void)madvise(machine->memory, machine->memory_size_bytes, MADV_NOHUGEPAGE);
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
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
        assert_usable(machine, singles[i], 4096);
        assert_true(i == 0 || singles[i].value < singles[i - 1].value);
    }
    assert_sound(frames);
    assert_foreign_frees_are_found(machine);
    assert_given_run(machine, 512, 512, 0, UINT64_MAX);
    assert_given_run(machine, 3, 1, 0, end - ram_bytes / 2);
    assert_given_run(machine, 777, 4, end - ram_bytes / 2, end);
    if (ram_bytes >= 8 * GIB)
        assert_given_run(machine, 1 << 18, 1 << 18, 0, UINT64_MAX);
    /* All but a little of the large row, in one piece. */
    assert_given_run(machine, ram_bytes / 2 / 4096 - carved_count - single_count, 1,
                     end - ram_bytes / 2, end);
    uint64_t held = count_frames_of_type(machine, HANDOFF_REGION_LOADER);
    assert_int_equal(frame_allocator_reclaim_reusable(frames, HANDOFF_REUSE_AFTER_LOADER), held);
    for (size_t i = 0; i < single_count; i++)
        frame_allocator_free(frames, singles[i]);
    assert_int_equal(frame_allocator_statistics(frames).used_count, 0);
    assert_int_equal(frame_allocator_statistics(frames).free_count,
                     usable_count - carved_count + held);
    assert_ownership_closes(machine);
    assert_sound(frames);
    machine_destroy(machine);
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

/* Of 2 GiB of records for 64 TiB a few pages are touched, as for 16 TiB: the cost is the rows'. */
static uint64_t touched_record_pages(uint64_t ram_bytes)
{
    struct machine *machine = machine_create();
    uint64_t count = 0;
    for (uint64_t i = 0; i < 16; i++)
        add_row(machine, 0x1000 + i * (ram_bytes / 8), ram_bytes / 16, HANDOFF_REGION_USABLE);
    uint64_t end = machine->rows[15].base + machine->rows[15].size_bytes;
    add_memory_below(machine, end, page_align_up(ram_bytes / 4096 / 6 + 4 * MIB));
    /* A host that gives 2 MiB for the first byte of them would be counted instead. */
    (void)madvise(machine->memory, machine->memory_size_bytes, MADV_NOHUGEPAGE);
    assert_int_equal(start(machine, &machine->early_heap), FRAME_ALLOCATOR_OK);
    uint64_t page_count = machine->memory_size_bytes / 4096;
    unsigned char *resident = calloc(page_count, 1);
    assert_int_equal(mincore(machine->memory, machine->memory_size_bytes, resident), 0);
    for (uint64_t i = 0; i < page_count; i++)
        count += resident[i] & 1;
    free(resident);
    machine_destroy(machine);
    return count;
}

static void test_initialising_does_not_grow_with_ram(void **state)
{
    uint64_t pages_of_64_tib = touched_record_pages(64 * TIB);
    (void)state;
    assert_in_range(pages_of_64_tib, 1, 120);
    assert_in_range(pages_of_64_tib, 1, touched_record_pages(16 * TIB) + 16);
}

/* --- Random operations beside an oracle ----------------------------------------------------------
 */

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
        cmocka_unit_test(test_M1_empty_map_is_refused),
        cmocka_unit_test(test_M2_map_that_is_not_normalised_is_refused),
        cmocka_unit_test(test_M10_M11_only_proven_ram_is_managed),
        cmocka_unit_test(test_M14_frame_zero_is_never_given),
        cmocka_unit_test(test_M15_M16_held_ram_is_kept_until_it_is_reclaimed),
        cmocka_unit_test(test_M10_regions_of_unknown_types_follow_their_facts),
        cmocka_unit_test(test_M17_region_above_52_bits_is_refused),
        cmocka_unit_test(test_M18_records_are_sized_by_ram_alone),
        cmocka_unit_test(test_M19_too_little_ram_is_refused_with_the_figure),
        cmocka_unit_test(test_M21_runtime_services_memory_is_never_reclaimed),
        cmocka_unit_test(test_F1_exhaustion_is_refused_and_a_free_helps),
        cmocka_unit_test(test_F2_double_free_panics),
        cmocka_unit_test(test_F3_free_of_reserved_or_mmio_panics),
        cmocka_unit_test(test_F4_free_of_an_unaligned_address_panics),
        cmocka_unit_test(test_F5_free_out_of_range_panics),
        cmocka_unit_test(test_F6_impossible_counts_and_alignments_are_refused),
        cmocka_unit_test(test_F7_runs_never_span_a_hole),
        cmocka_unit_test(test_F7_single_frames_with_holes_between),
        cmocka_unit_test(test_F7_runs_span_regions_that_touch_once_both_are_free),
        cmocka_unit_test(test_F8_alignment_is_honoured_or_refused),
        cmocka_unit_test(test_F8_1_gib_alignment),
        cmocka_unit_test(test_runs_end_at_or_below_the_limit),
        cmocka_unit_test(test_runs_between_two_addresses),
        cmocka_unit_test(test_F9_no_room_for_the_records_is_refused),
        cmocka_unit_test(test_F9_half_of_the_early_heap_stays_free),
        cmocka_unit_test(test_records_in_ram_are_never_given),
        cmocka_unit_test(test_records_in_ram_fit_exactly_at_every_size),
        cmocka_unit_test(test_records_may_take_a_whole_region),
        cmocka_unit_test(test_F10_frames_beyond_a_total_that_is_no_multiple_of_64_stay_used),
        cmocka_unit_test(test_F11_temp_heap_frames_are_released_exactly_once),
        cmocka_unit_test(test_F11_one_reclaim_may_span_regions),
        cmocka_unit_test(test_reclaim_is_refused_when_the_records_are_full),
        cmocka_unit_test(test_F13_frames_above_4_gib_and_2_to_the_44_are_not_truncated),
        cmocka_unit_test(test_check_finds_each_broken_record),
        cmocka_unit_test(test_M18_F13_every_real_map),
        cmocka_unit_test(test_each_holder_is_on_record_with_when_it_gave_back),
        cmocka_unit_test(test_F2_F3_F5_F7_F8_F12_M18_generated_maps),
        cmocka_unit_test(test_initialising_does_not_grow_with_ram),
        cmocka_unit_test(test_M20_random_bytes_as_a_map_are_refused_or_safe),
        cmocka_unit_test(test_F12_random_operations_agree_with_one_byte_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
