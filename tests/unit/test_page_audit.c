/* Each rule is broken on purpose, and the audit names it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/layout.h"
#include "kernel/mm/paging/page_audit.h"
#include "shared/arch/x86_64/page_entry.h"
#include "tests/unit/support/fake_machine.h"

#define SCRATCH_COUNT 64
/* An address without an owner in the upper half, and RAM that only the direct map maps. */
#define ELSEWHERE  UINT64_C(0xffffe80000000000)
#define SOME_FRAME UINT64_C(0x200000)

struct fixture {
    struct fake_machine machine;
    struct address_space space;
    struct virt_addr stack_top;
    struct phys_range scratch[SCRATCH_COUNT];
    struct page_audit_input input;
    struct page_audit_result result;
};

static void build(struct fixture *fixture)
{
    assert_int_equal(
        address_space_build(&fixture->space, &fixture->machine.plan, &fixture->machine.environment),
        PAGE_TABLE_OK);
    assert_int_equal(
        address_space_map_stack(&fixture->space, "main stack", 65536, &fixture->stack_top),
        PAGE_TABLE_OK);
    fixture->input = (struct page_audit_input){
        .space = &fixture->space,
        .layout = &fixture->machine.plan.layout,
        .regions = fixture->machine.regions,
        .region_count = fixture->machine.region_count,
        .scratch = fixture->scratch,
        .scratch_count = SCRATCH_COUNT,
    };
}

static int create_space(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fake_machine_create(&fixture->machine);
    build(fixture);
    *state = fixture;
    return 0;
}

static int destroy_space(void **state)
{
    struct fixture *fixture = *state;
    fake_machine_destroy(&fixture->machine);
    free(fixture);
    return 0;
}

static void assert_passes(struct fixture *fixture)
{
    if (!page_audit_run(&fixture->input, &fixture->result))
        fail_msg("%s", fixture->result.first_violation);
    assert_int_equal(fixture->result.violation_count, 0);
    assert_string_equal(fixture->result.first_violation, "");
}

/* Expect one violation, counted at this offset of the result, and named. */
static void assert_found(struct fixture *fixture, uint64_t *count, const char *text)
{
    assert_false(page_audit_run(&fixture->input, &fixture->result));
    if (*count != 1 || fixture->result.violation_count != 1)
        fail_msg("%llu of %llu violations, the first: %s", (unsigned long long)*count,
                 (unsigned long long)fixture->result.violation_count,
                 fixture->result.first_violation);
    if (strstr(fixture->result.first_violation, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fixture->result.first_violation, text);
}

static void map(struct fixture *fixture, uint64_t virtual, uint64_t physical,
                struct page_permissions permissions)
{
    fixture->space.table.allow_writable_executable = true;
    permissions.global = true;
    assert_int_equal(page_table_map(&fixture->space.table, virt_addr(virtual), phys_addr(physical),
                                    4096, permissions, false),
                     PAGE_TABLE_OK);
}

static void unmap(struct fixture *fixture, uint64_t virtual)
{
    assert_int_equal(page_table_unmap(&fixture->space.table, virt_addr(virtual), 4096),
                     PAGE_TABLE_OK);
}

static const struct page_permissions READ_ONLY = {0};
static const struct page_permissions READ_WRITE = {.write = true};

static void test_sound_tables_pass(void **state)
{
    struct fixture *fixture = *state;
    assert_passes(fixture);
    assert_int_equal(fixture->result.table_count, fixture->space.table.table_count);
    assert_int_equal(fixture->result.writable_executable_count, 0);
    assert_true(fixture->result.page_count > 100);
}

static void test_sound_tables_pass_without_1_gib_pages_and_with_five_levels(void **state)
{
    struct fixture *fixture = *state;
    fixture->machine.plan.features.largest_leaf_level = 2;
    fixture->machine.plan.features.levels = 5;
    build(fixture);
    assert_passes(fixture);
}

static void test_P12_without_nx_pages_are_counted_but_no_violation(void **state)
{
    struct fixture *fixture = *state;
    fixture->machine.plan.features.no_execute = false;
    build(fixture);
    assert_passes(fixture);
    assert_true(fixture->result.writable_executable_count > 0);
}

static void test_P5_writable_and_executable_is_found(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, ELSEWHERE, SOME_FRAME, (struct page_permissions){.write = true, .execute = true});
    assert_found(fixture, &fixture->result.writable_executable_count, "writable and executable");
    assert_non_null(strstr(fixture->result.first_violation, "0xffffe80000000000"));
    assert_non_null(strstr(fixture->result.first_violation, "physical 0x200000"));
}

static void test_P7_page_0_is_found(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, 0, SOME_FRAME, READ_ONLY);
    assert_false(page_audit_run(&fixture->input, &fixture->result));
    assert_int_equal(fixture->result.guard_count, 1);
    assert_int_equal(fixture->result.lower_half_count, 1);
    assert_non_null(strstr(fixture->result.first_violation, "null pointer"));
}

static void test_P9_identity_mapping_is_found(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, SOME_FRAME, SOME_FRAME, READ_ONLY);
    assert_found(fixture, &fixture->result.lower_half_count, "lower half");
}

static void test_P8_mapped_guard_page_is_found(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, fixture->stack_top.value - 65536 - 4096, SOME_FRAME, READ_ONLY);
    assert_found(fixture, &fixture->result.guard_count, "mapped guard page: main stack");
}

static void test_page_that_is_not_global_is_found(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, ELSEWHERE, SOME_FRAME, READ_ONLY);
    assert_passes(fixture);
    assert_int_equal(
        page_table_protect(&fixture->space.table, virt_addr(ELSEWHERE), 4096, READ_ONLY),
        PAGE_TABLE_OK);
    assert_found(fixture, &fixture->result.global_count, "not global");
}

static void test_P13_image_permissions(void **state)
{
    struct fixture *fixture = *state;
    uint64_t page = LAYOUT_KERNEL_IMAGE_BASE + 0x5000;
    unmap(fixture, page);
    map(fixture, page, FAKE_MACHINE_IMAGE_BASE + 0x5000, READ_WRITE);
    assert_found(fixture, &fixture->result.image_count, "permissions than the image has: rodata");

    unmap(fixture, page);
    map(fixture, page, FAKE_MACHINE_IMAGE_BASE + 0x5000,
        (struct page_permissions){.execute = true});
    assert_found(fixture, &fixture->result.image_count, "permissions than the image has");

    unmap(fixture, page);
    map(fixture, page, FAKE_MACHINE_IMAGE_BASE + 0x6000, READ_ONLY);
    assert_found(fixture, &fixture->result.image_count, "where the image was loaded");

    unmap(fixture, page);
    assert_found(fixture, &fixture->result.image_count, "not mapped");

    map(fixture, page, FAKE_MACHINE_IMAGE_BASE + 0x5000, READ_ONLY);
    assert_passes(fixture);
    map(fixture, LAYOUT_KERNEL_IMAGE_BASE + 0x4b000, SOME_FRAME, READ_ONLY);
    assert_found(fixture, &fixture->result.image_count, "outside of the image's segments");
}

static void test_executable_outside_of_the_image_is_found(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, ELSEWHERE, SOME_FRAME, (struct page_permissions){.execute = true});
    assert_found(fixture, &fixture->result.image_count, "executable outside of the image");
}

/* W^X is true for each frame: no address in the direct map or elsewhere may break it. */
static void test_P5_writable_alias_of_text_is_found(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"text", "rodata", "symbols"};
    static const uint64_t offsets[] = {0x4000, 0x5000, 0x4a000};
    for (unsigned i = 0; i < 3; i++) {
        uint64_t physical = FAKE_MACHINE_IMAGE_BASE + offsets[i];
        uint64_t alias = LAYOUT_DIRECT_MAP_BASE + physical;
        struct page_permissions permissions = {.write = true, .global = true};
        assert_int_equal(
            page_table_protect(&fixture->space.table, virt_addr(alias), 4096, permissions),
            PAGE_TABLE_OK);
        assert_found(fixture, &fixture->result.alias_count, names[i]);
        permissions.write = false;
        assert_int_equal(
            page_table_protect(&fixture->space.table, virt_addr(alias), 4096, permissions),
            PAGE_TABLE_OK);
        map(fixture, ELSEWHERE, physical, READ_WRITE);
        assert_found(fixture, &fixture->result.alias_count, names[i]);
        unmap(fixture, ELSEWHERE);
        assert_passes(fixture);
    }
}

static void test_P14_ram_that_is_not_write_back_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct page_permissions permissions = {.memory_type = PAGE_MEMORY_UNCACHED};
    map(fixture, ELSEWHERE, SOME_FRAME, permissions);
    assert_found(fixture, &fixture->result.memory_type_count, "RAM, but not write-back");
    unmap(fixture, ELSEWHERE);
    permissions.memory_type = PAGE_MEMORY_WRITE_COMBINING;
    map(fixture, ELSEWHERE, SOME_FRAME, permissions);
    assert_found(fixture, &fixture->result.memory_type_count, "RAM, but not write-back");
}

static void test_P14_framebuffer_that_is_not_write_combining_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct page_permissions permissions = {.memory_type = PAGE_MEMORY_UNCACHED};
    map(fixture, ELSEWHERE, FAKE_MACHINE_FRAMEBUFFER_BASE + 0x1000, permissions);
    assert_found(fixture, &fixture->result.memory_type_count, "not write-combining");
    unmap(fixture, ELSEWHERE);

    fixture->machine.plan.features.write_combining = false; /* then execution cannot be forbidden */
    build(fixture);
    assert_passes(fixture);
}

static struct handoff_region *image_region(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->machine.region_count; i++) {
        if (fixture->machine.regions[i].type == HANDOFF_REGION_KERNEL_IMAGE)
            return &fixture->machine.regions[i];
    }
    fail_msg("no region of the image");
    return NULL;
}

/* The allocator would give its frames to another owner. */
static void test_P13_image_in_memory_of_another_type(void **state)
{
    struct fixture *fixture = *state;
    struct handoff_region *region = image_region(fixture);
    const struct handoff_region good = *region;
    region->type = HANDOFF_REGION_LOADER;
    assert_false(page_audit_run(&fixture->input, &fixture->result));
    assert_non_null(strstr(fixture->result.first_violation, "memory outside of the image: text"));
    /* The first page only, as a loader that handed over a short image. */
    *region = good;
    region->size_bytes = 4096;
    assert_false(page_audit_run(&fixture->input, &fixture->result));
    assert_true(fixture->result.image_count > 0);
    *region = good;
    region->base += 4096;
    region->size_bytes -= 4096;
    assert_false(page_audit_run(&fixture->input, &fixture->result));
    assert_true(fixture->result.image_count > 0);
    *region = good;
    assert_passes(fixture);
}

/* Only the pages of the fallback region can leave the image later. */
static void test_freed_image_pages_are_no_violation(void **state)
{
    struct fixture *fixture = *state;
    unmap(fixture, LAYOUT_KERNEL_IMAGE_BASE + 0x9000);
    assert_found(fixture, &fixture->result.image_count, "not mapped");
    fixture->input.image_unmapped_bytes = 4096;
    assert_passes(fixture);
    unmap(fixture, LAYOUT_KERNEL_IMAGE_BASE + 0x1000);
    assert_found(fixture, &fixture->result.image_count, "not mapped");
}

static void test_P14_write_back_device_memory_is_found(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, ELSEWHERE, FAKE_MACHINE_FRAMEBUFFER_BASE, READ_ONLY);
    assert_found(fixture, &fixture->result.memory_type_count, "not RAM");
    unmap(fixture, ELSEWHERE);
    map(fixture, ELSEWHERE, FAKE_MACHINE_FLASH_BASE, READ_ONLY);
    assert_found(fixture, &fixture->result.memory_type_count, "not RAM");
    unmap(fixture, ELSEWHERE);
    map(fixture, ELSEWHERE, UINT64_C(0xa0000), READ_ONLY); /* in no region, RAM behind */
    assert_found(fixture, &fixture->result.memory_type_count, "not RAM");
    unmap(fixture, ELSEWHERE);
    map(fixture, ELSEWHERE, UINT64_C(0x80000000), READ_ONLY); /* in no region, devices behind */
    assert_found(fixture, &fixture->result.memory_type_count, "not RAM");
    unmap(fixture, ELSEWHERE);
    map(fixture, ELSEWHERE, FAKE_MACHINE_FLASH_BASE,
        (struct page_permissions){.memory_type = PAGE_MEMORY_UNCACHED});
    assert_passes(fixture);
}

static void test_frame_writable_twice_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct page_mapping stack;
    assert_int_equal(page_table_lookup(&fixture->space.table,
                                       virt_addr(fixture->stack_top.value - 4096), &stack),
                     PAGE_TABLE_OK);
    map(fixture, ELSEWHERE, stack.physical.value, READ_ONLY);
    assert_passes(fixture);
    unmap(fixture, ELSEWHERE);
    map(fixture, ELSEWHERE, stack.physical.value, READ_WRITE);
    assert_found(fixture, &fixture->result.alias_count, "writable twice");
    unmap(fixture, ELSEWHERE);
    map(fixture, ELSEWHERE, FAKE_MACHINE_IMAGE_BASE + 0x8000, READ_WRITE);
    assert_found(fixture, &fixture->result.alias_count, "writable twice");
}

/* Frames in descending and in mixed order: the runs stay sorted, and each is compared with all. */
static void test_frames_in_any_order_are_compared(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned order[] = {9, 3, 12, 0, 6, 15, 1, 14, 7, 10, 4, 13, 2, 8, 5, 11};
    for (unsigned i = 0; i < 16; i++)
        map(fixture, ELSEWHERE + i * 4096, SOME_FRAME + order[i] * 4096, READ_WRITE);
    assert_passes(fixture);
    for (unsigned i = 0; i < 16; i++) {
        map(fixture, ELSEWHERE + 0x100000, SOME_FRAME + i * 4096, READ_WRITE);
        assert_found(fixture, &fixture->result.alias_count, "writable twice");
        unmap(fixture, ELSEWHERE + 0x100000);
    }
}

static void test_too_little_scratch_memory_is_a_violation(void **state)
{
    struct fixture *fixture = *state;
    fixture->input.scratch_count = 1;
    assert_false(page_audit_run(&fixture->input, &fixture->result));
    assert_true(fixture->result.other_count > 0);
    assert_non_null(strstr(fixture->result.first_violation, "too little memory"));
    fixture->input.scratch_count = 0;
    assert_false(page_audit_run(&fixture->input, &fixture->result));
}

static void test_direct_map_at_a_wrong_address_is_found(void **state)
{
    struct fixture *fixture = *state;
    uint64_t hole = LAYOUT_DIRECT_MAP_BASE + UINT64_C(0x80000000);
    map(fixture, hole, SOME_FRAME, READ_ONLY);
    assert_found(fixture, &fixture->result.direct_map_count, "at a wrong address");
    unmap(fixture, hole);
    uint64_t page = LAYOUT_DIRECT_MAP_BASE + 0x1000;
    unmap(fixture, page);
    map(fixture, page, 0x1000, (struct page_permissions){.execute = true});
    assert_found(fixture, &fixture->result.direct_map_count, "executable");
}

/* Give user programs access on every level down to the page. */
static void test_user_page_is_found(void **state)
{
    struct fixture *fixture = *state;
    map(fixture, ELSEWHERE, SOME_FRAME, READ_ONLY);
    struct phys_addr table = fixture->space.table.root;
    for (unsigned level = 4; level >= 1; level--) {
        uint64_t *entry = (uint64_t *)(void *)(fixture->machine.memory + table.value) +
                          page_entry_index(virt_addr(ELSEWHERE), level);
        *entry |= PAGE_ENTRY_USER;
        table = page_entry_address(*entry, level);
    }
    assert_found(fixture, &fixture->result.user_count, "user programs");
}

static void test_lost_table_is_found(void **state)
{
    struct fixture *fixture = *state;
    fixture->space.table.table_count++;
    assert_found(fixture, &fixture->result.other_count, "tables");
}

#define ON_SPACE(test) cmocka_unit_test_setup_teardown(test, create_space, destroy_space)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SPACE(test_sound_tables_pass),
        ON_SPACE(test_sound_tables_pass_without_1_gib_pages_and_with_five_levels),
        ON_SPACE(test_P12_without_nx_pages_are_counted_but_no_violation),
        ON_SPACE(test_P5_writable_and_executable_is_found),
        ON_SPACE(test_P7_page_0_is_found),
        ON_SPACE(test_P9_identity_mapping_is_found),
        ON_SPACE(test_P8_mapped_guard_page_is_found),
        ON_SPACE(test_page_that_is_not_global_is_found),
        ON_SPACE(test_P13_image_permissions),
        ON_SPACE(test_P13_image_in_memory_of_another_type),
        ON_SPACE(test_executable_outside_of_the_image_is_found),
        ON_SPACE(test_P5_writable_alias_of_text_is_found),
        ON_SPACE(test_P14_ram_that_is_not_write_back_is_found),
        ON_SPACE(test_P14_framebuffer_that_is_not_write_combining_is_found),
        ON_SPACE(test_freed_image_pages_are_no_violation),
        ON_SPACE(test_P14_write_back_device_memory_is_found),
        ON_SPACE(test_frame_writable_twice_is_found),
        ON_SPACE(test_frames_in_any_order_are_compared),
        ON_SPACE(test_too_little_scratch_memory_is_a_violation),
        ON_SPACE(test_direct_map_at_a_wrong_address_is_found),
        ON_SPACE(test_user_page_is_found),
        ON_SPACE(test_lost_table_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
