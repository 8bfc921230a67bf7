/* The kernel's own page tables: cases of catalogue group P. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/layout.h"
#include "shared/region.h"
#include "tests/unit/support/fake_machine.h"
#include "tests/unit/support/panic_stub.h"

struct fixture {
    struct fake_machine machine;
    struct address_space space;
};

static int create_machine(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fake_machine_create(&fixture->machine);
    *state = fixture;
    return 0;
}

static int destroy_machine(void **state)
{
    struct fixture *fixture = *state;
    fake_machine_destroy(&fixture->machine);
    free(fixture);
    return 0;
}

static enum page_table_status try_build(struct fixture *fixture)
{
    return address_space_build(&fixture->space, &fixture->machine.plan,
                               &fixture->machine.environment);
}

static struct address_space *build(struct fixture *fixture)
{
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);
    return &fixture->space;
}

static struct page_mapping mapping_at(const struct address_space *space, uint64_t virtual)
{
    struct page_mapping mapping;
    assert_int_equal(page_table_lookup(&space->table, virt_addr(virtual), &mapping), PAGE_TABLE_OK);
    return mapping;
}

static bool is_mapped(const struct address_space *space, uint64_t virtual)
{
    struct page_mapping mapping;
    return page_table_lookup(&space->table, virt_addr(virtual), &mapping) == PAGE_TABLE_OK;
}

static bool is_upper_half(void *context, const struct page_mapping *mapping)
{
    (void)context;
    return mapping->virtual.value >> 63 == 1;
}

static void test_P7_P9_nothing_in_the_lower_half(void **state)
{
    struct address_space *space = build(*state);
    assert_false(is_mapped(space, 0));
    assert_true(page_table_walk(&space->table, is_upper_half, NULL));
    assert_string_equal(address_space_find_guard(space, virt_addr(0xfff))->name, "null pointer");
    assert_null(address_space_find_guard(space, virt_addr(0x1000)));
}

static void test_P9_code_stack_and_tables_are_reachable(void **state)
{
    struct address_space *space = build(*state);
    struct virt_addr top;
    assert_true(is_mapped(space, LAYOUT_KERNEL_IMAGE_BASE));
    assert_true(is_mapped(space, LAYOUT_DIRECT_MAP_BASE + 0x881000)); /* handoff data */
    assert_int_equal(address_space_map_stack(space, "main stack", 65536, &top), PAGE_TABLE_OK);
    assert_true(is_mapped(space, top.value - 1));
    assert_true(is_mapped(space, LAYOUT_DIRECT_MAP_BASE + space->table.root.value));
}

static void test_P13_image_has_its_linked_permissions(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = build(fixture);
    for (size_t i = 0; i < 4; i++) {
        const struct kernel_segment *segment = &fixture->machine.segments[i];
        for (uint64_t page = segment->virtual.start.value; page < segment->virtual.end.value;
             page += 4096) {
            struct page_mapping mapping = mapping_at(space, page);
            assert_int_equal(mapping.permissions.write, segment->write);
            assert_int_equal(mapping.permissions.execute, segment->execute);
            assert_int_equal(mapping.permissions.memory_type, PAGE_MEMORY_WRITE_BACK);
            assert_int_equal(mapping.physical.value + (page - mapping.virtual.value),
                             FAKE_MACHINE_IMAGE_BASE + page - LAYOUT_KERNEL_IMAGE_BASE);
            assert_false(mapping.user);
        }
    }
    assert_false(is_mapped(space, LAYOUT_KERNEL_IMAGE_BASE - 4096));
    assert_false(is_mapped(space, fixture->machine.segments[3].virtual.end.value));
}

static void test_P5_writable_executable_segment_is_refused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    fixture->machine.segments[2].execute = true;
    assert_int_equal(try_build(fixture), PAGE_TABLE_WRITABLE_EXECUTABLE);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
}

static void test_empty_segment_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    fixture->machine.segments[3].virtual.end = fixture->machine.segments[3].virtual.start;
    struct address_space *space = build(fixture);
    assert_false(is_mapped(space, fixture->machine.segments[3].virtual.start.value));
}

/* Return true for an address in text, rodata or symbols. */
static bool is_read_only_image(const struct fixture *fixture, uint64_t physical)
{
    for (size_t i = 0; i < 4; i++) {
        const struct kernel_segment *segment = &fixture->machine.segments[i];
        uint64_t virtual = LAYOUT_KERNEL_IMAGE_BASE + (physical - FAKE_MACHINE_IMAGE_BASE);
        if (!segment->write && virt_range_contains_address(segment->virtual, virt_addr(virtual)))
            return true;
    }
    return false;
}

/* The direct map has all RAM, and only RAM, page by page. */
static void test_P14_direct_map_is_all_ram_and_the_framebuffer(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = build(fixture);
    uint64_t ram_bytes = 0;
    uint64_t checked_end = 0;
    for (size_t i = 0; i < fixture->machine.region_count; i++) {
        const struct handoff_region *region = &fixture->machine.regions[i];
        uint64_t end = region->base + region->size_bytes;
        bool is_framebuffer = region->type == HANDOFF_REGION_FRAMEBUFFER;
        bool expected = region_is_ram(region) || is_framebuffer;
        if (region->base > checked_end)
            assert_false(is_mapped(space, LAYOUT_DIRECT_MAP_BASE + checked_end));
        for (uint64_t page = region->base; page < end; page += 4096) {
            uint64_t virtual = LAYOUT_DIRECT_MAP_BASE + page;
            assert_int_equal(is_mapped(space, virtual), expected);
            if (!expected)
                continue;
            struct page_mapping mapping = mapping_at(space, virtual);
            assert_int_equal(mapping.physical.value - mapping.virtual.value,
                             -LAYOUT_DIRECT_MAP_BASE);
            assert_int_equal(mapping.permissions.write, !is_read_only_image(fixture, page));
            assert_false(mapping.permissions.execute);
            assert_true(mapping.permissions.global);
            assert_int_equal(mapping.permissions.memory_type,
                             is_framebuffer ? PAGE_MEMORY_WRITE_COMBINING : PAGE_MEMORY_WRITE_BACK);
        }
        if (region_is_ram(region))
            ram_bytes += region->size_bytes;
        checked_end = end;
    }
    assert_false(is_mapped(space, LAYOUT_DIRECT_MAP_BASE + checked_end));
    assert_int_equal(space->direct_map_mapped_bytes, ram_bytes);
    assert_int_equal(space->direct_map_end.value, checked_end);
}

/* Rows of different types that touch share a large page. */
static void test_direct_map_merges_rows_that_touch(void **state)
{
    struct address_space *space = build(*state);
    /* Handoff data and usable RAM. The permissions of the image before them prevent a large page
     * there. */
    struct page_mapping mapping = mapping_at(space, LAYOUT_DIRECT_MAP_BASE + 0xa00000);
    assert_int_equal(mapping.page_size_bytes, 2 * MIB);
    mapping = mapping_at(space, LAYOUT_DIRECT_MAP_BASE + FAKE_MACHINE_RUNTIME_CODE_BASE - 0x200000);
    assert_int_equal(mapping.page_size_bytes, 2 * MIB);
    assert_int_equal(mapping_at(space, LAYOUT_DIRECT_MAP_BASE + 0x100000).page_size_bytes, 4096);
}

static void test_image_that_is_not_in_ram_is_refused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    fixture->machine.plan.layout.physical_base = phys_addr(0x80000000);
    assert_int_equal(try_build(fixture), PAGE_TABLE_NOT_MAPPED);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
}

static void test_areas_have_names(void **state)
{
    struct address_space *space = build(*state);
    struct virt_addr top;
    assert_int_equal(address_space_map_stack(space, "main stack", 8192, &top), PAGE_TABLE_OK);
    static const struct {
        uint64_t address;
        const char *name;
        bool is_through_direct_map;
    } CASES[] = {
        {LAYOUT_KERNEL_IMAGE_BASE, "text", false},
        {LAYOUT_KERNEL_IMAGE_BASE + 0x5000, "rodata", false},
        {LAYOUT_DIRECT_MAP_BASE + 0x1000, "RAM", true},
        {LAYOUT_DIRECT_MAP_BASE + FAKE_MACHINE_IMAGE_BASE + 0x4fff, "text", true},
        {LAYOUT_DIRECT_MAP_BASE + FAKE_MACHINE_IMAGE_BASE + 0x5000, "rodata", true},
        {LAYOUT_DIRECT_MAP_BASE + FAKE_MACHINE_IMAGE_BASE + 0x8000, "RAM", true},
        {LAYOUT_DIRECT_MAP_BASE + FAKE_MACHINE_FRAMEBUFFER_BASE, "framebuffer", true},
        {LAYOUT_DIRECT_MAP_BASE + LAYOUT_DIRECT_MAP_LIMIT_BYTES - 1, "RAM", true},
        {LAYOUT_STACKS_BASE + 4096, "main stack", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const struct address_space_area *area =
            address_space_find_area(space, virt_addr(CASES[i].address));
        assert_non_null(area);
        assert_string_equal(area->name, CASES[i].name);
        assert_int_equal(area->is_through_direct_map, CASES[i].is_through_direct_map);
    }
    assert_null(address_space_find_area(space, virt_addr(LAYOUT_STACKS_BASE)));
    assert_null(address_space_find_area(space, top));
    assert_null(address_space_find_area(space, virt_addr(0)));
}

static void map_sixteen_gib(struct fixture *fixture)
{
    static struct handoff_region regions[2];
    regions[0] = region_make(0x1000, GIB - 0x1000, HANDOFF_REGION_USABLE, 0, 0);
    regions[1] = region_make(GIB, 15 * GIB, HANDOFF_REGION_BOOT_SERVICES, 0, 0);
    fixture->machine.plan.regions = regions;
    fixture->machine.plan.region_count = 2;
    fixture->machine.plan.framebuffer = phys_range(0, 0);
}

static void test_P12_with_and_without_1_gib_pages(void **state)
{
    struct fixture *fixture = *state;
    map_sixteen_gib(fixture);
    struct address_space *space = build(fixture);
    assert_int_equal(mapping_at(space, LAYOUT_DIRECT_MAP_BASE + 3 * GIB).page_size_bytes, GIB);
    uint64_t with = space->table.table_count;
    address_space_destroy(space);

    fixture->machine.plan.features.largest_leaf_level = 2;
    space = build(fixture);
    assert_int_equal(mapping_at(space, LAYOUT_DIRECT_MAP_BASE + 3 * GIB).page_size_bytes, 2 * MIB);
    assert_int_equal(space->table.table_count, with + 15);
}

static void test_P12_without_nx(void **state)
{
    struct fixture *fixture = *state;
    fixture->machine.plan.features.no_execute = false;
    struct address_space *space = build(fixture);
    assert_false(mapping_at(space, LAYOUT_KERNEL_IMAGE_BASE + 0x5000).permissions.write);
    assert_true(mapping_at(space, LAYOUT_DIRECT_MAP_BASE + 0x1000).permissions.execute);
}

static void test_P11_five_levels(void **state)
{
    struct fixture *fixture = *state;
    fixture->machine.plan.features.levels = 5;
    struct address_space *space = build(fixture);
    assert_true(is_mapped(space, DIRECT_MAP_BASE_5_LEVELS + 0x1000));
    assert_false(is_mapped(space, LAYOUT_DIRECT_MAP_BASE + 0x1000));
    assert_true(is_mapped(space, LAYOUT_KERNEL_IMAGE_BASE));
}

/* RAM for which four levels have no room. */
static void test_P11_five_levels_map_ram_beyond_64_tib(void **state)
{
    struct fixture *fixture = *state;
    const struct handoff_region regions[] = {
        region_make(0x1000, GIB - 0x1000, HANDOFF_REGION_USABLE, 0, 0),
        region_make(65 * TIB, 8 * MIB, HANDOFF_REGION_USABLE, 0, 0),
        region_make(4096 * TIB - 2 * MIB, 2 * MIB, HANDOFF_REGION_USABLE, 0, 0)};
    fixture->machine.plan.regions = regions;
    fixture->machine.plan.region_count = 3;
    fixture->machine.plan.features.physical_bits = 52;
    fixture->machine.plan.features.levels = 5;
    struct address_space *space = build(fixture);
    assert_int_equal(space->direct_map_end.value, 4096 * TIB);
    assert_int_equal(mapping_at(space, DIRECT_MAP_BASE_5_LEVELS + 65 * TIB).physical.value,
                     65 * TIB);
    assert_int_equal(mapping_at(space, space->direct_map.end.value - 1).physical.value,
                     4096 * TIB - 2 * MIB);
}

static void test_P10_ram_above_maxphyaddr_is_refused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    fixture->machine.plan.features.physical_bits = 32;
    assert_int_equal(try_build(fixture), PAGE_TABLE_PHYSICAL_TOO_HIGH);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
}

static void test_ram_beyond_the_direct_map_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    const struct handoff_region regions[] = {
        region_make(0x800000, 2 * MIB, HANDOFF_REGION_KERNEL_IMAGE, 0, 0),
        region_make(64 * TIB - 4 * MIB, 8 * MIB, HANDOFF_REGION_USABLE, 0, 0),
        region_make(65 * TIB, 8 * MIB, HANDOFF_REGION_USABLE, 0, 0)};
    fixture->machine.plan.regions = regions;
    fixture->machine.plan.region_count = 3;
    fixture->machine.plan.features.physical_bits = 52;
    struct address_space *space = build(fixture);
    assert_int_equal(space->direct_map_end.value, 64 * TIB);
    assert_int_equal(space->direct_map_mapped_bytes, 6 * MIB);
    assert_false(is_mapped(space, LAYOUT_DIRECT_MAP_BASE + LAYOUT_DIRECT_MAP_LIMIT_BYTES));
    assert_false(is_mapped(space, LAYOUT_DIRECT_MAP_BASE + 65 * TIB));
}

static void test_framebuffer_beyond_the_direct_map_is_refused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    fixture->machine.plan.features.physical_bits = 52;
    fixture->machine.plan.framebuffer = phys_range(64 * TIB, 64 * TIB + 8 * MIB);
    assert_int_equal(try_build(fixture), PAGE_TABLE_PHYSICAL_TOO_HIGH);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
}

static void test_P8_stacks_have_unmapped_pages_around_them(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = build(fixture);
    static const char *const names[] = {"main stack", "double-fault stack", "NMI stack"};
    struct virt_addr tops[3];
    for (unsigned i = 0; i < 3; i++) {
        uint64_t size_bytes = (i + 1) * UINT64_C(8192);
        assert_int_equal(address_space_map_stack(space, names[i], size_bytes, &tops[i]),
                         PAGE_TABLE_OK);
        assert_int_equal(tops[i].value % 4096, 0);
        uint64_t base = tops[i].value - size_bytes;
        for (uint64_t page = base; page < tops[i].value; page += 4096) {
            struct page_mapping mapping = mapping_at(space, page);
            assert_true(mapping.permissions.write);
            assert_false(mapping.permissions.execute);
        }
        assert_false(is_mapped(space, base - 1));
        assert_false(is_mapped(space, base - 4096));
        assert_false(is_mapped(space, tops[i].value));
    }
    for (unsigned i = 0; i < 3; i++) {
        uint64_t base = tops[i].value - (i + 1) * UINT64_C(8192);
        const struct address_space_guard *guard =
            address_space_find_guard(space, virt_addr(base - 1));
        assert_non_null(guard);
        assert_string_equal(guard->name, names[i]);
        assert_true(guard->is_stack);
        assert_null(address_space_find_guard(space, virt_addr(base)));
    }
}

static void test_stack_sizes_that_are_none_are_refused(void **state)
{
    struct address_space *space = build(*state);
    struct virt_addr top = virt_addr(7);
    assert_int_equal(address_space_map_stack(space, "x", 0, &top), PAGE_TABLE_EMPTY);
    assert_int_equal(address_space_map_stack(space, "x", 100, &top), PAGE_TABLE_UNALIGNED);
    assert_int_equal(top.value, 7);
    assert_int_equal(space->guard_count, 1);
}

static void test_P4_every_nth_allocation_of_the_build_fails(void **state)
{
    struct fixture *fixture = *state;
    struct fake_machine *machine = &fixture->machine;
    uint64_t before = fake_machine_free_count(machine);
    build(fixture);
    uint64_t needed = before - fake_machine_free_count(machine);
    assert_int_equal(needed, fixture->space.table.table_count);
    address_space_destroy(&fixture->space);
    assert_int_equal(fake_machine_free_count(machine), before);

    for (uint64_t n = 0; n < needed; n++) {
        fake_machine_leave_frames(machine, n);
        assert_int_equal(try_build(fixture), PAGE_TABLE_NO_MEMORY);
        assert_int_equal(fake_machine_free_count(machine), n);
        fake_machine_return_frames(machine);
    }
    fake_machine_leave_frames(machine, needed);
    build(fixture);
    assert_null(frame_allocator_check(&machine->frames));
}

static void test_P4_every_nth_allocation_of_a_stack_fails(void **state)
{
    struct fixture *fixture = *state;
    struct fake_machine *machine = &fixture->machine;
    struct address_space *space = build(fixture);
    uint64_t hash = fake_machine_mapping_hash(&space->table);
    uint64_t table_count = space->table.table_count;
    struct virt_addr top = virt_addr(7);
    /* 16 frames and a table of each of the three lower levels */
    for (uint64_t n = 0; n < 16 + 3; n++) {
        fake_machine_leave_frames(machine, n);
        assert_int_equal(address_space_map_stack(space, "main stack", 65536, &top),
                         PAGE_TABLE_NO_MEMORY);
        assert_int_equal(fake_machine_free_count(machine), n);
        assert_int_equal(fake_machine_mapping_hash(&space->table), hash);
        assert_int_equal(space->table.table_count, table_count);
        assert_int_equal(space->guard_count, 1);
        assert_int_equal(top.value, 7);
        fake_machine_return_frames(machine);
    }
    fake_machine_leave_frames(machine, 16 + 3);
    assert_int_equal(address_space_map_stack(space, "main stack", 65536, &top), PAGE_TABLE_OK);
    assert_int_equal(fake_machine_free_count(machine), 0);
    assert_null(frame_allocator_check(&machine->frames));
}

/* A frame must not become free while a translation to it can still be used. */
static void test_P6_frames_are_freed_after_their_translation(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = build(fixture);
    struct virt_addr start = virt_addr(LAYOUT_HEAP_WINDOW_BASE);
    assert_int_equal(address_space_map_frames(space, start, 1), PAGE_TABLE_OK);
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    fixture->machine.invalidate_count = 0;
    address_space_unmap_frames(space, start, 1);
    assert_int_equal(fixture->machine.invalidate_count, 1);
    assert_int_equal(fixture->machine.free_count_at_invalidate, free_count);
    assert_false(is_mapped(space, start.value));
}

static void test_P2_frames_over_a_mapping_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = build(fixture);
    struct virt_addr start = virt_addr(LAYOUT_HEAP_WINDOW_BASE);
    assert_int_equal(address_space_map_frames(space, virt_addr_add(start, 8192), 1), PAGE_TABLE_OK);
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    uint64_t hash = fake_machine_mapping_hash(&space->table);
    assert_int_equal(address_space_map_frames(space, start, 4), PAGE_TABLE_ALREADY_MAPPED);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
    assert_int_equal(fake_machine_mapping_hash(&space->table), hash);
}

static void test_P3_unmap_of_nothing_panics(void **state)
{
    struct address_space *space = build(*state);
    expect_panic(PANIC_ASSERTION,
                 address_space_unmap_frames(space, virt_addr(LAYOUT_HEAP_WINDOW_BASE), 1));
    expect_panic(PANIC_ASSERTION, address_space_unmap_frames(
                                      space, virt_addr(LAYOUT_DIRECT_MAP_BASE + 0xa00000), 1));
}

/* --- Devices --- */

static enum page_table_status map_device(struct address_space *space, uint64_t physical,
                                         uint64_t size_bytes, uint64_t *ret_virtual)
{
    struct virt_addr virtual = virt_addr(7);
    enum page_table_status status = address_space_map_device(
        space, "device", phys_addr(physical), size_bytes, PAGE_MEMORY_UNCACHED, &virtual);
    *ret_virtual = virtual.value;
    return status;
}

static void test_P14_devices_are_uncached_and_not_executable(void **state)
{
    struct address_space *space = build(*state);
    uint64_t virtual;
    assert_int_equal(map_device(space, 0xfee00010, 0x20, &virtual), PAGE_TABLE_OK);
    assert_int_equal(virtual % 4096, 0x10);
    struct page_mapping mapping = mapping_at(space, virtual);
    assert_int_equal(mapping.physical.value, 0xfee00000);
    assert_int_equal(mapping.page_size_bytes, 4096);
    assert_int_equal(mapping.permissions.memory_type, PAGE_MEMORY_UNCACHED);
    assert_true(mapping.permissions.write);
    assert_true(mapping.permissions.global);
    assert_false(mapping.permissions.execute);
    assert_false(is_mapped(space, virtual - 0x11));
    assert_false(is_mapped(space, virtual - 0x10 + 4096));
    assert_string_equal(address_space_find_area(space, virt_addr(virtual))->name, "device");

    struct virt_addr combining;
    assert_int_equal(address_space_map_device(space, "memory", phys_addr(0x180000000), 0x1001,
                                              PAGE_MEMORY_WRITE_COMBINING, &combining),
                     PAGE_TABLE_OK);
    mapping = mapping_at(space, combining.value + 0x1000);
    assert_int_equal(mapping.permissions.memory_type, PAGE_MEMORY_WRITE_COMBINING);
    assert_false(is_mapped(space, combining.value + 0x2000));
}

static void test_devices_use_large_pages(void **state)
{
    struct address_space *space = build(*state);
    uint64_t small, large, huge;
    assert_int_equal(map_device(space, 0xfec00000, 8, &small), PAGE_TABLE_OK);
    assert_int_equal(map_device(space, 0x4000003000, 6 * MIB, &large), PAGE_TABLE_OK);
    assert_int_equal(map_device(space, 0x8000000000, 2 * GIB, &huge), PAGE_TABLE_OK);
    assert_int_equal(mapping_at(space, large).page_size_bytes, 4096);
    assert_int_equal(mapping_at(space, large + 2 * MIB).page_size_bytes, 2 * MIB);
    assert_int_equal(mapping_at(space, large + 2 * MIB).physical.value +
                         (large + 2 * MIB) % (2 * MIB),
                     0x4000003000 + 2 * MIB);
    assert_int_equal(mapping_at(space, huge).page_size_bytes, GIB);
    assert_true(small + 4096 < large && large + 6 * MIB < huge);
}

static void test_devices_that_cannot_be_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = build(fixture);
    uint64_t virtual, first;
    assert_int_equal(map_device(space, 0xfed00000, 0x2000, &first), PAGE_TABLE_OK);
    uint64_t hash = fake_machine_mapping_hash(&space->table);
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    static const struct {
        uint64_t physical;
        uint64_t size_bytes;
        enum page_table_status status;
    } CASES[] = {
        {0xfee00000, 0, PAGE_TABLE_EMPTY},
        {UINT64_MAX, 1, PAGE_TABLE_PHYSICAL_TOO_HIGH},
        {UINT64_MAX - 0xfff, 0x2000, PAGE_TABLE_PHYSICAL_TOO_HIGH},
        {UINT64_C(1) << 52, 1, PAGE_TABLE_PHYSICAL_TOO_HIGH},
        {UINT64_C(1) << 46, 1, PAGE_TABLE_PHYSICAL_TOO_HIGH}, /* the features of this CPU */
        {0x1000, 0x1000, PAGE_TABLE_MEMORY_TYPE},
        {0x9e000, 0x2000, PAGE_TABLE_MEMORY_TYPE}, /* its first page is RAM */
        {0xff000, 0x2000, PAGE_TABLE_MEMORY_TYPE}, /* its last page is RAM */
        {FAKE_MACHINE_IMAGE_BASE, 1, PAGE_TABLE_MEMORY_TYPE},
        {FAKE_MACHINE_FRAMEBUFFER_BASE, 0x1000, PAGE_TABLE_MEMORY_TYPE},
        {0xfed00fff, 1, PAGE_TABLE_ALREADY_MAPPED},
        {0xfed01fff, 2, PAGE_TABLE_ALREADY_MAPPED},
        {0x200000000, 8 * TIB, PAGE_TABLE_NO_MEMORY},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(map_device(space, CASES[i].physical, CASES[i].size_bytes, &virtual),
                         CASES[i].status);
        assert_int_equal(virtual, 7);
    }
    struct virt_addr cached = virt_addr(7);
    assert_int_equal(address_space_map_device(space, "x", phys_addr(0xfee00000), 1,
                                              PAGE_MEMORY_WRITE_BACK, &cached),
                     PAGE_TABLE_MEMORY_TYPE);
    assert_int_equal(fake_machine_mapping_hash(&space->table), hash);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
    assert_int_equal(map_device(space, 0xfed02000, 1, &virtual), PAGE_TABLE_OK);
}

static void test_device_addresses_are_not_used_again(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = build(fixture);
    uint64_t first, second, third;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    assert_int_equal(map_device(space, 0xfed00004, 4, &first), PAGE_TABLE_OK);
    assert_int_equal(map_device(space, 0xfee00000, 4, &second), PAGE_TABLE_OK);
    fixture->machine.invalidate_count = 0;
    address_space_unmap_device(space, virt_addr(first));
    assert_int_equal(fixture->machine.invalidate_count, 1);
    assert_false(is_mapped(space, first));
    assert_null(address_space_find_area(space, virt_addr(first)));
    assert_string_equal(address_space_find_area(space, virt_addr(second))->name, "device");
    assert_int_equal(map_device(space, 0xfed00004, 4, &third), PAGE_TABLE_OK);
    assert_true(third > second);
    address_space_unmap_device(space, virt_addr(second));
    address_space_unmap_device(space, virt_addr(third));
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
    expect_panic(PANIC_ASSERTION, address_space_unmap_device(space, virt_addr(third)));
    expect_panic(PANIC_ASSERTION,
                 address_space_unmap_device(space, virt_addr(LAYOUT_KERNEL_IMAGE_BASE)));
}

static void test_P4_every_nth_allocation_of_a_device_fails(void **state)
{
    struct fixture *fixture = *state;
    struct fake_machine *machine = &fixture->machine;
    struct address_space *space = build(fixture);
    uint64_t hash = fake_machine_mapping_hash(&space->table);
    size_t area_count = space->area_count;
    uint64_t virtual;
    for (uint64_t n = 0; n < 3; n++) {
        fake_machine_leave_frames(machine, n);
        assert_int_equal(map_device(space, 0xfee00000, 4, &virtual), PAGE_TABLE_NO_MEMORY);
        assert_int_equal(fake_machine_free_count(machine), n);
        assert_int_equal(fake_machine_mapping_hash(&space->table), hash);
        assert_int_equal(space->area_count, area_count);
        fake_machine_return_frames(machine);
    }
    while (space->area_count < ADDRESS_SPACE_AREA_LIMIT)
        address_space_add_area(space, virt_range(0x1000, 0x2000), "area");
    assert_int_equal(map_device(space, 0xfee00000, 4, &virtual), PAGE_TABLE_NO_MEMORY);
}

/* Every change of a mapping reaches this CPU first, then the others, before a frame is free.
 */
static void test_P6_other_cpus_invalidate_too(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = build(fixture);
    struct virt_addr start = virt_addr(LAYOUT_HEAP_WINDOW_BASE);
    assert_int_equal(address_space_map_frames(space, start, 2), PAGE_TABLE_OK);
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    fixture->machine.invalidate_count = 0;
    fixture->machine.shoot_down_count = 0;
    address_space_unmap_frames(space, virt_addr_add(start, 4096), 1);
    assert_int_equal(fixture->machine.shoot_down_count, 1);
    assert_int_equal(fixture->machine.invalidate_count_at_shoot_down, 1);
    assert_int_equal(fixture->machine.shot_down_start, start.value + 4096);
    assert_int_equal(fixture->machine.shot_down_size_bytes, 4096);
    assert_int_equal(fixture->machine.free_count_at_shoot_down, free_count);
    assert_int_equal(page_table_protect(&space->table, start, 4096, (struct page_permissions){0}),
                     PAGE_TABLE_OK);
    assert_int_equal(fixture->machine.shoot_down_count, 2);
}

static void test_too_many_areas_panic(void **state)
{
    struct address_space *space = build(*state);
    struct virt_range range = virt_range(0x1000, 0x2000);
    while (space->area_count < ADDRESS_SPACE_AREA_LIMIT)
        address_space_add_area(space, range, "area");
    expect_panic(PANIC_ASSERTION, address_space_add_area(space, range, "one more"));
}

static void test_too_many_guards_panic(void **state)
{
    struct address_space *space = build(*state);
    struct virt_range range = virt_range(0x1000, 0x2000);
    while (space->guard_count < ADDRESS_SPACE_GUARD_LIMIT)
        address_space_add_guard(space, range, "guard", false);
    expect_panic(PANIC_ASSERTION, address_space_add_guard(space, range, "one more", false));
}

#define ON_MACHINE(test) cmocka_unit_test_setup_teardown(test, create_machine, destroy_machine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_MACHINE(test_P7_P9_nothing_in_the_lower_half),
        ON_MACHINE(test_P9_code_stack_and_tables_are_reachable),
        ON_MACHINE(test_P13_image_has_its_linked_permissions),
        ON_MACHINE(test_P5_writable_executable_segment_is_refused),
        ON_MACHINE(test_empty_segment_is_left_out),
        ON_MACHINE(test_P14_direct_map_is_all_ram_and_the_framebuffer),
        ON_MACHINE(test_direct_map_merges_rows_that_touch),
        ON_MACHINE(test_P12_with_and_without_1_gib_pages),
        ON_MACHINE(test_P12_without_nx),
        ON_MACHINE(test_P11_five_levels),
        ON_MACHINE(test_P11_five_levels_map_ram_beyond_64_tib),
        ON_MACHINE(test_image_that_is_not_in_ram_is_refused),
        ON_MACHINE(test_areas_have_names),
        ON_MACHINE(test_P10_ram_above_maxphyaddr_is_refused),
        ON_MACHINE(test_ram_beyond_the_direct_map_is_left_out),
        ON_MACHINE(test_framebuffer_beyond_the_direct_map_is_refused),
        ON_MACHINE(test_P8_stacks_have_unmapped_pages_around_them),
        ON_MACHINE(test_stack_sizes_that_are_none_are_refused),
        ON_MACHINE(test_P4_every_nth_allocation_of_the_build_fails),
        ON_MACHINE(test_P4_every_nth_allocation_of_a_stack_fails),
        ON_MACHINE(test_P6_frames_are_freed_after_their_translation),
        ON_MACHINE(test_P2_frames_over_a_mapping_are_refused),
        ON_MACHINE(test_P3_unmap_of_nothing_panics),
        ON_MACHINE(test_P14_devices_are_uncached_and_not_executable),
        ON_MACHINE(test_devices_use_large_pages),
        ON_MACHINE(test_devices_that_cannot_be_are_refused),
        ON_MACHINE(test_device_addresses_are_not_used_again),
        ON_MACHINE(test_P4_every_nth_allocation_of_a_device_fails),
        ON_MACHINE(test_P6_other_cpus_invalidate_too),
        ON_MACHINE(test_too_many_areas_panic),
        ON_MACHINE(test_too_many_guards_panic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
