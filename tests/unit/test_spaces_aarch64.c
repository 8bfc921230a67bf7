/*
 * The address spaces of loader and kernel in the tables of a second CPU
 * (test_page_table_aarch64.c), with a root for each half and another form of entries.
 */
#include "tests/unit/support/cmocka.h"

#include "bootloader/pure/bootstrap_tables.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/paging/page_audit.h"
#include "kernel/mm/paging/runtime_space.h"
#include "shared/page_entry.h"
#include "shared/region.h"
#include "tests/unit/support/fake_machine.h"
#include "tests/unit/support/fake_memory.h"

#define SCRATCH_COUNT 64
#define DEVICE_BASE   UINT64_C(0xfee00000)

struct fixture {
    struct fake_machine machine;
    struct address_space space;
    struct phys_range scratch[SCRATCH_COUNT];
};

static int create_space(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    fake_machine_create(&fixture.machine);
    assert_int_equal(
        address_space_build(&fixture.space, &fixture.machine.plan, &fixture.machine.environment),
        PAGE_TABLE_OK);
    *state = &fixture;
    return 0;
}

static int destroy_space(void **state)
{
    struct fixture *fixture = *state;
    fake_machine_destroy(&fixture->machine);
    return 0;
}

static struct page_mapping mapping_at(const struct page_table *table, uint64_t virtual)
{
    struct page_mapping mapping;
    assert_int_equal(page_table_lookup(table, virt_addr(virtual), &mapping), PAGE_TABLE_OK);
    return mapping;
}

/* --- The kernel's --- */

static void test_the_kernels_space_passes_its_audit(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *space = &fixture->space;
    struct virt_addr stack_top;
    struct virt_addr registers;
    assert_int_equal(address_space_map_stack(space, "main stack", 65536, &stack_top),
                     PAGE_TABLE_OK);
    assert_int_equal(address_space_map_device(space, "device", phys_addr(DEVICE_BASE), 64,
                                              PAGE_MEMORY_UNCACHED, &registers),
                     PAGE_TABLE_OK);
    assert_int_equal(mapping_at(&space->table, registers.value).permissions.memory_type,
                     PAGE_MEMORY_UNCACHED);
    assert_true(mapping_at(&space->table, LAYOUT_KERNEL_IMAGE_BASE).permissions.execute);
    const struct page_audit_input input = {
        .space = space,
        .layout = &fixture->machine.plan.layout,
        .regions = fixture->machine.regions,
        .region_count = fixture->machine.region_count,
        .scratch = fixture->scratch,
        .scratch_count = SCRATCH_COUNT,
    };
    struct page_audit_result result;
    if (!page_audit_run(&input, &result))
        fail_msg("%s", result.first_violation);
}

/* The kernel's tables have only the upper root. The CPU may load any other root for the lower
 * half. */
static void test_the_lower_root_is_empty(void **state)
{
    struct fixture *fixture = *state;
    const struct page_table *table = &fixture->space.table;
    const uint64_t *entries = table->memory.access_table(table->memory.context, table->root);
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++)
        assert_int_equal(entries[i], 0);
}

static void test_firmware_calls_have_the_lower_root_to_themselves(void **state)
{
    struct fixture *fixture = *state;
    struct runtime_space runtime;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    uint64_t hash = fake_machine_mapping_hash(&fixture->space.table);
    assert_int_equal(runtime_space_build(&runtime, &fixture->space, fixture->machine.regions,
                                         fixture->machine.region_count),
                     PAGE_TABLE_OK);
    assert_int_equal(runtime.table.upper_root.value, fixture->space.table.upper_root.value);
    assert_int_not_equal(runtime.table.root.value, fixture->space.table.root.value);
    struct page_mapping code = mapping_at(&runtime.table, FAKE_MACHINE_RUNTIME_CODE_BASE);
    assert_true(code.permissions.write && code.permissions.execute);
    assert_int_equal(code.physical.value, code.virtual.value);
    assert_true(mapping_at(&runtime.table, LAYOUT_KERNEL_IMAGE_BASE).permissions.execute);
    page_table_destroy(&runtime.table);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
    assert_int_equal(fake_machine_mapping_hash(&fixture->space.table), hash);
}

/* --- The loader's --- */

#define KERNEL LAYOUT_KERNEL_IMAGE_BASE
#define LOADER UINT64_C(0x1e000000)

static const struct elf_plan KERNEL_PLAN = {
    .entry = {KERNEL},
    .image = {{KERNEL}, {KERNEL + 0x4000}},
    .segment_count = 2,
    .segments = {{.memory = {{KERNEL}, {KERNEL + 0x2000}}, .execute = true},
                 {.memory = {{KERNEL + 0x2000}, {KERNEL + 0x4000}}, .write = true}},
};

static const struct placement PLACEMENT = {
    .kernel = {{0x1c345000}, {0x1c349000}},
    .stack = {{0x1d000000}, {0x1d010000}},
    .loader = {.memory = {{LOADER}, {LOADER + 0x7000}},
               .sections = {{.memory = {{LOADER}, {LOADER + 0x5000}}, .execute = true},
                            {.memory = {{LOADER + 0x5000}, {LOADER + 0x7000}}, .write = true}},
               .section_count = 2},
};

static void test_the_bound_counts_both_roots(void **state)
{
    (void)state;
    const struct page_table_features features = {.levels = 4,
                                                 .physical_bits = 44,
                                                 .largest_leaf_level = 3,
                                                 .no_execute = true,
                                                 .write_combining = true};
    const struct handoff_region ram =
        region_make(0x200000, GIB, HANDOFF_REGION_USABLE, 0,
                    HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE);
    const struct bootstrap_plan plan = {
        .kernel = &KERNEL_PLAN,
        .placement = &PLACEMENT,
        .regions = &ram,
        .region_count = 1,
    };
    struct fake_memory memory;
    struct page_table table;
    uint64_t direct_map_size_bytes;
    fake_memory_create(&memory, bootstrap_tables_bound(&plan, &features));
    struct page_table_memory callbacks = fake_memory_callbacks(&memory);
    assert_int_equal(page_table_create(&features, &callbacks, &table), PAGE_TABLE_OK);
    assert_int_equal(bootstrap_tables_build(&plan, &table, &direct_map_size_bytes), PAGE_TABLE_OK);
    assert_int_equal(memory.used_count, memory.page_count); /* as many as the bound says */
    assert_true(mapping_at(&table, LOADER).permissions.execute);
    assert_true(mapping_at(&table, LAYOUT_KERNEL_IMAGE_BASE).permissions.execute);
    page_table_destroy(&table);
    fake_memory_destroy(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_kernels_space_passes_its_audit, create_space,
                                        destroy_space),
        cmocka_unit_test_setup_teardown(test_the_lower_root_is_empty, create_space, destroy_space),
        cmocka_unit_test_setup_teardown(test_firmware_calls_have_the_lower_root_to_themselves,
                                        create_space, destroy_space),
        cmocka_unit_test(test_the_bound_counts_both_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
