/* The second root, for EFI runtime services. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/layout.h"
#include "kernel/mm/paging/runtime_space.h"
#include "tests/unit/support/fake_machine.h"
#include "shared/region.h"

#define EFI_BOOT_SERVICES_CODE    3
#define EFI_BOOT_SERVICES_DATA    4
#define EFI_RUNTIME_SERVICES_CODE 5
#define EFI_RUNTIME_SERVICES_DATA 6

struct fixture {
    struct fake_machine machine;
    struct address_space kernel;
    struct runtime_space runtime;
};

static int create_kernel(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fake_machine_create(&fixture->machine);
    assert_int_equal(address_space_build(&fixture->kernel, &fixture->machine.plan,
                                         &fixture->machine.environment),
                     PAGE_TABLE_OK);
    *state = fixture;
    return 0;
}

static int destroy_kernel(void **state)
{
    struct fixture *fixture = *state;
    fake_machine_destroy(&fixture->machine);
    free(fixture);
    return 0;
}

static enum page_table_status try_build(struct fixture *fixture)
{
    return runtime_space_build(&fixture->runtime, &fixture->kernel, fixture->machine.regions,
                               fixture->machine.region_count);
}

static enum page_table_status look_up(const struct fixture *fixture, uint64_t virtual,
                                      struct page_mapping *ret)
{
    return page_table_lookup(&fixture->runtime.table, virt_addr(virtual), ret);
}

static struct page_mapping mapping_at(const struct fixture *fixture, uint64_t virtual)
{
    struct page_mapping mapping;
    assert_int_equal(look_up(fixture, virtual, &mapping), PAGE_TABLE_OK);
    return mapping;
}

static void test_firmware_regions_are_at_their_own_addresses(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);

    struct page_mapping code = mapping_at(fixture, FAKE_MACHINE_RUNTIME_CODE_BASE);
    assert_int_equal(code.physical.value, code.virtual.value);
    assert_true(code.permissions.write && code.permissions.execute);
    assert_false(code.permissions.global || code.user);
    assert_int_equal(code.permissions.memory_type, PAGE_MEMORY_WRITE_BACK);

    struct page_mapping data = mapping_at(fixture, FAKE_MACHINE_RUNTIME_DATA_BASE);
    assert_int_equal(data.physical.value, data.virtual.value);
    assert_true(data.permissions.write);
    assert_false(data.permissions.execute);

    struct page_mapping flash = mapping_at(fixture, FAKE_MACHINE_FLASH_BASE);
    assert_int_equal(flash.physical.value, flash.virtual.value);
    assert_true(flash.permissions.write);
    assert_false(flash.permissions.execute);
    assert_int_equal(flash.permissions.memory_type, PAGE_MEMORY_UNCACHED);
}

/* The loader marks memory that is not write-back as reserved. The firmware's services still need
 * it, and it must not be cached. */
static void test_M13_runtime_rows_that_are_not_write_back_are_uncached(void **state)
{
    struct fixture *fixture = *state;
    const struct handoff_region regions[] = {
        region_make(0x10000, 0x1000, HANDOFF_REGION_RESERVED, EFI_RUNTIME_SERVICES_CODE, 1),
        region_make(0x11000, 0x1000, HANDOFF_REGION_RESERVED, EFI_RUNTIME_SERVICES_DATA, 0),
        region_make(0x12000, 0x1000, HANDOFF_REGION_RESERVED, 0, 1),
    };
    assert_int_equal(runtime_space_build(&fixture->runtime, &fixture->kernel, regions, 3),
                     PAGE_TABLE_OK);
    struct page_mapping code = mapping_at(fixture, 0x10000);
    assert_true(code.permissions.write && code.permissions.execute);
    assert_int_equal(code.permissions.memory_type, PAGE_MEMORY_UNCACHED);
    struct page_mapping data = mapping_at(fixture, 0x11000);
    assert_true(data.permissions.write && !data.permissions.execute);
    assert_int_equal(data.permissions.memory_type, PAGE_MEMORY_UNCACHED);
    struct page_mapping other;
    assert_int_equal(look_up(fixture, 0x12000, &other), PAGE_TABLE_NOT_MAPPED);
}

/* Boot services have ended, and faulty firmware still uses their memory. It is mapped only if the
 * kernel does not use it for other data. */
static void test_memory_of_boot_services_is_mapped_where_it_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct handoff_region regions[] = {
        region_make(0x10000, 0x1000, HANDOFF_REGION_BOOT_SERVICES, EFI_BOOT_SERVICES_CODE, 0xf),
        region_make(0x11000, 0x1000, HANDOFF_REGION_BOOT_SERVICES, EFI_BOOT_SERVICES_DATA, 0xf),
        region_make(0x12000, 0x1000, HANDOFF_REGION_BOOT_SERVICES, EFI_BOOT_SERVICES_DATA, 0xf),
    };
    regions[0].reuse = HANDOFF_REUSE_NEVER;
    regions[1].reuse = HANDOFF_REUSE_NEVER;
    assert_int_equal(runtime_space_build(&fixture->runtime, &fixture->kernel, regions, 3),
                     PAGE_TABLE_OK);
    struct page_mapping code = mapping_at(fixture, 0x10000);
    assert_true(code.permissions.write && code.permissions.execute);
    assert_int_equal(code.permissions.memory_type, PAGE_MEMORY_WRITE_BACK);
    struct page_mapping data = mapping_at(fixture, 0x11000);
    assert_true(data.permissions.write && !data.permissions.execute);
    struct page_mapping other;
    assert_int_equal(look_up(fixture, 0x12000, &other), PAGE_TABLE_NOT_MAPPED);
}

struct lower_half {
    uint64_t bytes;
};

static bool add_lower_half(void *context, const struct page_mapping *mapping)
{
    struct lower_half *lower = context;
    if (mapping->virtual.value >> 63 == 0)
        lower->bytes += mapping->page_size_bytes;
    return true;
}

static void test_nothing_else_is_in_the_lower_half(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);
    struct lower_half lower = {0};
    page_table_walk(&fixture->runtime.table, add_lower_half, &lower);
    assert_int_equal(lower.bytes, 0x10000 + 0x10000 + FAKE_MACHINE_FLASH_BYTES);
    assert_int_equal(fixture->runtime.mapped_bytes, lower.bytes);
    struct page_mapping mapping;
    assert_int_equal(look_up(fixture, 0, &mapping), PAGE_TABLE_NOT_MAPPED);
}

/* A region at address 0 is mapped without its first page. A region of only page 0 is not mapped. */
static void test_P7_page_0_stays_unmapped(void **state)
{
    struct fixture *fixture = *state;
    struct handoff_region region = {.base = 0,
                                    .size_bytes = 0x3000,
                                    .type = HANDOFF_REGION_RUNTIME_DATA,
                                    .efi_type = EFI_RUNTIME_SERVICES_DATA};
    assert_int_equal(runtime_space_build(&fixture->runtime, &fixture->kernel, &region, 1),
                     PAGE_TABLE_OK);
    struct page_mapping mapping;
    assert_int_equal(look_up(fixture, 0xfff, &mapping), PAGE_TABLE_NOT_MAPPED);
    assert_int_equal(mapping_at(fixture, 0x1000).physical.value, 0x1000);
    page_table_destroy(&fixture->runtime.table);

    region.size_bytes = 0x1000;
    assert_int_equal(runtime_space_build(&fixture->runtime, &fixture->kernel, &region, 1),
                     PAGE_TABLE_OK);
    assert_int_equal(fixture->runtime.mapped_bytes, 0);
}

static bool is_same_in_runtime(void *context, const struct page_mapping *mapping)
{
    const struct fixture *fixture = context;
    struct page_mapping other = mapping_at(fixture, mapping->virtual.value);
    assert_int_equal(other.physical.value, mapping->physical.value);
    assert_int_equal(other.permissions.write, mapping->permissions.write);
    assert_int_equal(other.permissions.execute, mapping->permissions.execute);
    return true;
}

static void test_upper_half_is_the_kernels(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);
    page_table_walk(&fixture->kernel.table, is_same_in_runtime, fixture);
}

/* The heap window's top-level entry appears after the build. */
static void test_synchronise_takes_over_new_entries(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);
    struct virt_addr page = virt_addr(LAYOUT_HEAP_WINDOW_BASE);
    assert_int_equal(address_space_map_frames(&fixture->kernel, page, 1), PAGE_TABLE_OK);
    struct page_mapping mapping;
    assert_int_equal(look_up(fixture, page.value, &mapping), PAGE_TABLE_NOT_MAPPED);
    page_table_borrow_upper_half(&fixture->runtime.table, &fixture->kernel.table);
    assert_int_equal(look_up(fixture, page.value, &mapping), PAGE_TABLE_OK);

    address_space_unmap_frames(&fixture->kernel, page, 1);
    page_table_borrow_upper_half(&fixture->runtime.table, &fixture->kernel.table);
    assert_int_equal(look_up(fixture, page.value, &mapping), PAGE_TABLE_NOT_MAPPED);
}

static void test_destroy_does_not_change_the_kernel(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    uint64_t hash = fake_machine_mapping_hash(&fixture->kernel.table);
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);
    page_table_destroy(&fixture->runtime.table);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
    assert_int_equal(fake_machine_mapping_hash(&fixture->kernel.table), hash);
    assert_null(frame_allocator_check(&fixture->machine.frames));
}

static void test_P5_only_this_root_may_be_writable_and_executable(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);
    assert_true(fixture->runtime.table.allow_writable_executable);
    assert_false(fixture->kernel.table.allow_writable_executable);
}

static void test_P4_every_nth_allocation_fails(void **state)
{
    struct fixture *fixture = *state;
    struct fake_machine *machine = &fixture->machine;
    uint64_t before = fake_machine_free_count(machine);
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);
    uint64_t needed = before - fake_machine_free_count(machine);
    page_table_destroy(&fixture->runtime.table);

    uint64_t hash = fake_machine_mapping_hash(&fixture->kernel.table);
    struct runtime_space untouched = fixture->runtime;
    for (uint64_t n = 0; n < needed; n++) {
        fake_machine_leave_frames(machine, n);
        assert_int_equal(try_build(fixture), PAGE_TABLE_NO_MEMORY);
        assert_int_equal(fake_machine_free_count(machine), n);
        assert_int_equal(fake_machine_mapping_hash(&fixture->kernel.table), hash);
        assert_memory_equal(&untouched, &fixture->runtime, sizeof untouched);
        fake_machine_return_frames(machine);
    }
    fake_machine_leave_frames(machine, needed);
    assert_int_equal(try_build(fixture), PAGE_TABLE_OK);
}

/* Physical addresses in the upper half of a 48-bit space have no address of their own. */
static void test_P1_region_that_cannot_be_at_its_own_address(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    struct handoff_region region = {.base = UINT64_C(1) << 47,
                                    .size_bytes = 0x1000,
                                    .type = HANDOFF_REGION_RUNTIME_DATA,
                                    .efi_type = EFI_RUNTIME_SERVICES_DATA};
    assert_int_equal(runtime_space_build(&fixture->runtime, &fixture->kernel, &region, 1),
                     PAGE_TABLE_NON_CANONICAL);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
}

#define ON_KERNEL(test) cmocka_unit_test_setup_teardown(test, create_kernel, destroy_kernel)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_KERNEL(test_firmware_regions_are_at_their_own_addresses),
        ON_KERNEL(test_M13_runtime_rows_that_are_not_write_back_are_uncached),
        ON_KERNEL(test_memory_of_boot_services_is_mapped_where_it_is_kept),
        ON_KERNEL(test_nothing_else_is_in_the_lower_half),
        ON_KERNEL(test_P7_page_0_stays_unmapped),
        ON_KERNEL(test_upper_half_is_the_kernels),
        ON_KERNEL(test_synchronise_takes_over_new_entries),
        ON_KERNEL(test_destroy_does_not_change_the_kernel),
        ON_KERNEL(test_P5_only_this_root_may_be_writable_and_executable),
        ON_KERNEL(test_P4_every_nth_allocation_fails),
        ON_KERNEL(test_P1_region_that_cannot_be_at_its_own_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
