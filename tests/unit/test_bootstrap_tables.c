#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/pure/memory_map.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/region.h"
#include "tests/unit/support/fake_memory.h"
#include "tests/unit/support/memory_map_file.h"

#define DIRECT DIRECT_MAP_BASE_4_LEVELS
#define KERNEL UINT64_C(0xffffffff80000000)

static const struct page_table_features MODERN = {.levels = 4,
                                                  .physical_bits = 46,
                                                  .no_execute = true,
                                                  .largest_leaf_level = 3,
                                                  .write_combining = true};

/* text in two segments that share a page, rodata, data with .bss */
static const struct elf_plan KERNEL_PLAN = {
    .entry = {KERNEL + 0x10},
    .image = {{KERNEL}, {KERNEL + 0x8000}},
    .segment_count = 4,
    .segments =
        {
            {.memory = {{KERNEL}, {KERNEL + 0x1800}}, .execute = true},
            {.memory = {{KERNEL + 0x1900}, {KERNEL + 0x1910}}, .execute = true},
            {.memory = {{KERNEL + 0x3010}, {KERNEL + 0x3030}}},
            {.memory = {{KERNEL + 0x5ff0}, {KERNEL + 0x8000}}, .write = true},
        },
};

#define LOADER_BASE UINT64_C(0x1e000000)

static const struct placement PLACEMENT = {
    .kernel = {{0x1c345000}, {0x1c34d000}},
    .stack = {{0x1d000000}, {0x1d010000}},
    .loader =
        {
            .memory = {{LOADER_BASE}, {LOADER_BASE + 0x8000}},
            .sections =
                {
                    {.memory = {{LOADER_BASE}, {LOADER_BASE + 0x1000}}},
                    {.memory = {{LOADER_BASE + 0x1000}, {LOADER_BASE + 0x6000}}, .execute = true},
                    {.memory = {{LOADER_BASE + 0x6000}, {LOADER_BASE + 0x8000}}, .write = true},
                },
            .section_count = 3,
        },
};

#define RAM_FACTS (HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE)

static struct handoff_region region(uint64_t base, uint64_t size_bytes, uint32_t type)
{
    return region_make(base, size_bytes, type, 0, 0);
}

static struct bootstrap_plan plan_over(const struct handoff_region *regions, size_t region_count)
{
    return (struct bootstrap_plan){
        .kernel = &KERNEL_PLAN,
        .placement = &PLACEMENT,
        .regions = regions,
        .region_count = region_count,
    };
}

/* --- One build --- */

struct build {
    struct fake_memory memory;
    struct page_table table;
    enum page_table_status status;
    uint64_t direct_map_size_bytes;
};

static void build_create(struct build *build, const struct bootstrap_plan *plan,
                         const struct page_table_features *features, uint64_t page_count)
{
    fake_memory_create(&build->memory, page_count);
    struct page_table_memory callbacks = fake_memory_callbacks(&build->memory);
    assert_int_equal(page_table_create(features, &callbacks, &build->table), PAGE_TABLE_OK);
    build->direct_map_size_bytes = 77;
    build->status = bootstrap_tables_build(plan, &build->table, &build->direct_map_size_bytes);
}

static void build_destroy(struct build *build)
{
    page_table_destroy(&build->table);
    assert_int_equal(build->memory.used_count, 0);
    fake_memory_destroy(&build->memory);
}

/* --- The oracle: it derives the mapping of one address from the plan --- */

struct expectation {
    bool mapped;
    uint64_t physical;
    bool write;
    bool execute;
    enum page_memory_type memory_type;
};

static bool expect_kernel(const struct bootstrap_plan *plan, uint64_t page, struct expectation *ret)
{
    for (unsigned i = 0; i < plan->kernel->segment_count; i++) {
        const struct elf_segment *segment = &plan->kernel->segments[i];
        if (page >= page_align_down(segment->memory.start.value) &&
            page < segment->memory.end.value) {
            *ret = (struct expectation){true,
                                        plan->placement->kernel.start.value +
                                            (page - plan->kernel->image.start.value),
                                        segment->write, segment->execute, PAGE_MEMORY_WRITE_BACK};
            return true;
        }
    }
    return false;
}

/* Where a section of the loader is in the upper half. */
static uint64_t address_above(const struct bootstrap_plan *plan,
                              const struct loader_section *section)
{
    return section->memory.start.value - plan->placement->loader.memory.start.value +
           BOOTSTRAP_LOADER_VIRTUAL_BASE;
}

static struct expectation expect(const struct bootstrap_plan *plan, unsigned levels, uint64_t page)
{
    struct expectation expected = {0};
    uint64_t physical = page - direct_map_base(levels).value;
    if (expect_kernel(plan, page, &expected))
        return expected;
    if (page - BOOTSTRAP_STACK_VIRTUAL_BASE < phys_range_size_bytes(plan->placement->stack))
        return (struct expectation){
            true, plan->placement->stack.start.value + page - BOOTSTRAP_STACK_VIRTUAL_BASE, true,
            false, PAGE_MEMORY_WRITE_BACK};
    for (size_t i = 0; i < plan->placement->loader.section_count; i++) {
        const struct loader_section *section = &plan->placement->loader.sections[i];
        uint64_t base = section->memory.start.value;
        uint64_t size_bytes = phys_range_size_bytes(section->memory);
        uint64_t above = address_above(plan, section);
        bool is_above = page - above < size_bytes;
        if (page - base < size_bytes || is_above)
            return (struct expectation){true, is_above ? base + (page - above) : page,
                                        section->write, section->execute, PAGE_MEMORY_WRITE_BACK};
    }
    if (page < direct_map_base(levels).value || physical >= direct_map_limit(levels).value)
        return expected;
    for (size_t i = 0; i < plan->region_count; i++) {
        const struct handoff_region *r = &plan->regions[i];
        if (physical - r->base < r->size_bytes && (r->facts & HANDOFF_FACT_MAPPED) != 0)
            return (struct expectation){
                true, physical, (r->facts & HANDOFF_FACT_WRITABLE) != 0, false,
                r->type == HANDOFF_REGION_FRAMEBUFFER ? PAGE_MEMORY_WRITE_COMBINING
                                                      : PAGE_MEMORY_WRITE_BACK};
    }
    return expected;
}

static void assert_page(struct build *build, const struct bootstrap_plan *plan, uint64_t page)
{
    struct expectation expected = expect(plan, build->table.features.levels, page);
    struct page_mapping mapping;
    enum page_table_status status = page_table_lookup(&build->table, virt_addr(page), &mapping);
    if ((status == PAGE_TABLE_OK) != expected.mapped)
        fail_msg("0x%llx: %s", (unsigned long long)page, page_table_status_name(status));
    if (!expected.mapped)
        return;
    assert_int_equal(mapping.physical.value + (page - mapping.virtual.value), expected.physical);
    assert_int_equal(mapping.permissions.write, expected.write);
    assert_int_equal(mapping.permissions.execute, expected.execute);
    assert_int_equal(mapping.permissions.memory_type, expected.memory_type);
    assert_false(mapping.permissions.global);
    assert_false(mapping.user);
}

/* Check the first and the last page of a range, and the pages next to them. */
static void assert_borders(struct build *build, const struct bootstrap_plan *plan, uint64_t base,
                           uint64_t size_bytes)
{
    if (base != 0)
        assert_page(build, plan, base - PAGE_SIZE_BYTES);
    assert_page(build, plan, base);
    assert_page(build, plan, base + size_bytes - PAGE_SIZE_BYTES);
    assert_page(build, plan, base + size_bytes);
}

static bool add_size(void *context, const struct page_mapping *mapping)
{
    *(uint64_t *)context += mapping->page_size_bytes;
    return true;
}

/* Check all mappings of the plan. The total of bytes shows that there are no others. */
static void assert_is_exactly_the_plan(struct build *build, const struct bootstrap_plan *plan)
{
    uint64_t stack_bytes = phys_range_size_bytes(plan->placement->stack);
    uint64_t expected_bytes = stack_bytes;
    uint64_t highest = 0;
    uint64_t direct = direct_map_base(build->table.features.levels).value;
    for (uint64_t page = 0; page < virt_range_size_bytes(plan->kernel->image);
         page += PAGE_SIZE_BYTES) {
        assert_page(build, plan, plan->kernel->image.start.value + page);
        if (expect(plan, build->table.features.levels, plan->kernel->image.start.value + page)
                .mapped)
            expected_bytes += PAGE_SIZE_BYTES;
    }
    assert_borders(build, plan, BOOTSTRAP_STACK_VIRTUAL_BASE, stack_bytes);
    for (size_t i = 0; i < plan->placement->loader.section_count; i++) {
        const struct loader_section *section = &plan->placement->loader.sections[i];
        uint64_t size_bytes = phys_range_size_bytes(section->memory);
        assert_borders(build, plan, section->memory.start.value, size_bytes);
        assert_borders(build, plan, address_above(plan, section), size_bytes);
        expected_bytes += 2 * size_bytes;
    }
    for (size_t i = 0; i < plan->region_count; i++) {
        const struct handoff_region *r = &plan->regions[i];
        assert_borders(build, plan, direct + r->base, r->size_bytes);
        if ((r->facts & HANDOFF_FACT_MAPPED) == 0)
            continue;
        expected_bytes += r->size_bytes;
        if (r->base + r->size_bytes > highest)
            highest = r->base + r->size_bytes;
    }

    uint64_t mapped_bytes = 0;
    assert_true(page_table_walk(&build->table, add_size, &mapped_bytes));
    assert_int_equal(mapped_bytes, expected_bytes);
    assert_int_equal(build->direct_map_size_bytes, highest);
}

static void check_plan(const struct bootstrap_plan *plan)
{
    for (unsigned variant = 0; variant < 4; variant++) {
        struct page_table_features features = MODERN;
        features.largest_leaf_level = variant % 2 == 0 ? 3 : 2;
        features.levels = variant < 2 ? 4 : 5;
        uint64_t bound = bootstrap_tables_bound(plan, &features);
        struct build build;
        build_create(&build, plan, &features, bound); /* the bound is always enough */
        assert_int_equal(build.status, PAGE_TABLE_OK);
        assert_is_exactly_the_plan(&build, plan);
        build_destroy(&build);
    }
}

/* --- Tests --- */

static const struct handoff_region SMALL_MACHINE[] = {
    {0x1000, 0x9f000, .type = HANDOFF_REGION_USABLE, .facts = RAM_FACTS},
    {0xa0000, 0x60000, .type = HANDOFF_REGION_RESERVED},
    {0x100000, 0x1bf00000, .type = HANDOFF_REGION_USABLE, .facts = RAM_FACTS},
    {0x1c000000, 0x2000000, .type = HANDOFF_REGION_LOADER, .facts = RAM_FACTS},
    {0x1e000000, 0x1f00000, .type = HANDOFF_REGION_BOOT_SERVICES, .facts = RAM_FACTS},
    {0x1ff00000, 0x100000, .type = HANDOFF_REGION_ACPI_NVS, .facts = RAM_FACTS},
    {0xc0000000, 0x400000, .type = HANDOFF_REGION_MMIO},
    {0xfec00000, 0x1000, .type = HANDOFF_REGION_MMIO},
    {0x100000000, 0x183456000, .type = HANDOFF_REGION_USABLE, .facts = RAM_FACTS},
};

static void test_P5_P14_exactly_the_plan_is_mapped(void **state)
{
    (void)state;
    struct bootstrap_plan plan = plan_over(SMALL_MACHINE, 9);
    check_plan(&plan);
}

#define PIXEL_FACTS (HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE)

/* Screens between ranges of RAM, at the end of RAM, above 4 GiB, and in a BAR far above RAM. */
static const struct handoff_region MACHINE_WITH_SCREENS[] = {
    {0x1000, 0x9f000, .type = HANDOFF_REGION_LOW_MEMORY, .facts = RAM_FACTS},
    {0x100000, 0x1bf00000, .type = HANDOFF_REGION_USABLE, .facts = RAM_FACTS},
    {0x1c000000, 0x3e9000, .type = HANDOFF_REGION_FRAMEBUFFER, .facts = PIXEL_FACTS},
    {0x1c3e9000, 0x1000, .type = HANDOFF_REGION_RESERVED},
    {0x1c3ea000, 0x3c16000, .type = HANDOFF_REGION_LOADER, .facts = RAM_FACTS},
    {0x20000000, 0x3000, .type = HANDOFF_REGION_FRAMEBUFFER, .facts = PIXEL_FACTS},
    {0xc0000000, 0x3e9000, .type = HANDOFF_REGION_FRAMEBUFFER, .facts = PIXEL_FACTS},
    {0x100000000, 0x40000000, .type = HANDOFF_REGION_USABLE, .facts = RAM_FACTS},
    {0x140000000, 0x800000, .type = HANDOFF_REGION_FRAMEBUFFER, .facts = PIXEL_FACTS},
    {0x380000000000, 0x3e9000, .type = HANDOFF_REGION_FRAMEBUFFER, .facts = PIXEL_FACTS},
};

static void test_G1_G6_every_framebuffer_is_mapped_and_counted(void **state)
{
    (void)state;
    struct bootstrap_plan plan = plan_over(MACHINE_WITH_SCREENS, 10);
    check_plan(&plan);
    for (size_t i = 2; i < 10; i++) { /* each by itself, with RAM below the loader */
        const struct handoff_region regions[] = {MACHINE_WITH_SCREENS[0], MACHINE_WITH_SCREENS[i]};
        plan = plan_over(regions, 2);
        check_plan(&plan);
    }
}

/* Tables below 1 MiB, between ranges of RAM, across a 2 MiB border, and far above RAM. */
static const struct handoff_region MACHINE_WITH_TABLES[] = {
    {0x1000, 0x9f000, .type = HANDOFF_REGION_LOW_MEMORY, .facts = RAM_FACTS},
    {0xf0000, 0x1000, .type = HANDOFF_REGION_FIRMWARE_TABLES, .facts = HANDOFF_FACT_MAPPED},
    {0x100000, 0x1dd00000, .type = HANDOFF_REGION_USABLE, .facts = RAM_FACTS},
    {0x1de00000, 0x200000, .type = HANDOFF_REGION_FIRMWARE_TABLES, .facts = HANDOFF_FACT_MAPPED},
    {0x1e000000, 0x1e00000, .type = HANDOFF_REGION_LOADER, .facts = RAM_FACTS},
    {0x1fe00000, 0x1000, .type = HANDOFF_REGION_RESERVED},
    {0x1ffff000, 0x2000, .type = HANDOFF_REGION_FIRMWARE_TABLES, .facts = HANDOFF_FACT_MAPPED},
    {0x200000000000, 0x1000, .type = HANDOFF_REGION_FIRMWARE_TABLES, .facts = HANDOFF_FACT_MAPPED},
};

/* check_plan() compares the permissions at each border and the total of bytes, within the bound. */
static void test_T1_firmware_tables_are_mapped_and_counted(void **state)
{
    (void)state;
    struct bootstrap_plan plan = plan_over(MACHINE_WITH_TABLES, 8);
    check_plan(&plan);
    for (size_t i = 0; i < 8; i++) { /* each table by itself, with RAM below the loader */
        const struct handoff_region regions[] = {MACHINE_WITH_TABLES[0], MACHINE_WITH_TABLES[i]};
        plan = plan_over(regions, i == 0 ? 1 : 2);
        check_plan(&plan);
    }
}

/* Only the firmware table needs a page table there, so the bound must include it. */
static void test_T1_bound_grows_by_the_table_pages_of_firmware_tables(void **state)
{
    (void)state;
    static struct handoff_region far_apart[41];
    far_apart[0] = region(0x100000, 0x1bf00000, HANDOFF_REGION_USABLE);
    for (size_t i = 1; i < 41; i++)
        far_apart[i] = region(i * TIB - 0x1000, 0x2000, HANDOFF_REGION_FIRMWARE_TABLES);
    struct bootstrap_plan plan = plan_over(far_apart, 1);
    uint64_t without = bootstrap_tables_bound(&plan, &MODERN);
    plan = plan_over(far_apart, 41);
    assert_true(bootstrap_tables_bound(&plan, &MODERN) >= without + 40 * 4);
    check_plan(&plan);
}

static void test_T1_firmware_tables_are_read_only_and_never_executed(void **state)
{
    (void)state;
    struct bootstrap_plan plan = plan_over(MACHINE_WITH_TABLES, 8);
    struct build build;
    build_create(&build, &plan, &MODERN, 64);
    assert_int_equal(build.status, PAGE_TABLE_OK);
    static const uint64_t ADDRESSES[] = {0xf0000,    0x1de00000, 0x1dffffff,
                                         0x1ffff000, 0x20000fff, 0x200000000000};
    for (size_t i = 0; i < 6; i++) {
        struct page_mapping mapping;
        assert_int_equal(
            page_table_lookup(&build.table, virt_addr(DIRECT + ADDRESSES[i]), &mapping),
            PAGE_TABLE_OK);
        assert_false(mapping.permissions.write);
        assert_false(mapping.permissions.execute);
        assert_int_equal(mapping.permissions.memory_type, PAGE_MEMORY_WRITE_BACK);
    }
    build_destroy(&build);
}

static void test_firmware_tables_beyond_the_window_are_refused(void **state)
{
    (void)state;
    const uint64_t limit = DIRECT_MAP_LIMIT_BYTES_4_LEVELS;
    struct page_table_features features = MODERN;
    features.physical_bits = 52;
    const struct handoff_region bad[] = {
        region(limit, 0x1000, HANDOFF_REGION_FIRMWARE_TABLES),
        region(limit - 0x1000, 0x2000, HANDOFF_REGION_FIRMWARE_TABLES)};
    for (size_t i = 0; i < 2; i++) {
        struct bootstrap_plan plan = plan_over(&bad[i], 1);
        struct build build;
        build_create(&build, &plan, &features, 64);
        assert_int_equal(build.status, PAGE_TABLE_PHYSICAL_TOO_HIGH);
        build_destroy(&build);
    }
}

/* A kernel can keep the copy in the upper half: the same frames and the same permissions. */
static void test_X8_loader_sections_are_in_both_places(void **state)
{
    (void)state;
    struct bootstrap_plan plan = plan_over(SMALL_MACHINE, 9);
    struct build build;
    build_create(&build, &plan, &MODERN, 64);
    assert_int_equal(build.status, PAGE_TABLE_OK);
    assert_int_equal(BOOTSTRAP_LOADER_VIRTUAL_BASE >> 39, BOOTSTRAP_STACK_VIRTUAL_BASE >> 39);
    for (uint64_t offset = 0; offset < 0x8000; offset += PAGE_SIZE_BYTES) {
        struct page_mapping below;
        struct page_mapping above;
        assert_int_equal(page_table_lookup(&build.table, virt_addr(LOADER_BASE + offset), &below),
                         PAGE_TABLE_OK);
        assert_int_equal(page_table_lookup(&build.table,
                                           virt_addr(BOOTSTRAP_LOADER_VIRTUAL_BASE + offset),
                                           &above),
                         PAGE_TABLE_OK);
        assert_int_equal(below.physical.value, LOADER_BASE + offset);
        assert_int_equal(above.physical.value, LOADER_BASE + offset);
        assert_int_equal(above.permissions.write, below.permissions.write);
        assert_int_equal(above.permissions.execute, below.permissions.execute);
    }
    build_destroy(&build);
}

static void test_touching_ram_shares_large_pages(void **state)
{
    (void)state;
    /* 512 MiB of RAM in small regions of several types. */
    static struct handoff_region pieces[128];
    for (size_t i = 0; i < 128; i++)
        pieces[i] = region(0x100000 + i * 0x3ff000, 0x3ff000,
                           (uint32_t)(i % 2 == 0 ? HANDOFF_REGION_USABLE : HANDOFF_REGION_LOADER));
    struct bootstrap_plan plan = plan_over(pieces, 128);
    struct build build;
    build_create(&build, &plan, &MODERN, 64);
    assert_int_equal(build.status, PAGE_TABLE_OK);
    struct page_mapping mapping;
    for (uint64_t address = 2 * MIB; address < 500 * MIB; address += 2 * MIB) {
        assert_int_equal(page_table_lookup(&build.table, virt_addr(DIRECT + address), &mapping),
                         PAGE_TABLE_OK);
        assert_int_equal(mapping.page_size_bytes, 2 * MIB);
    }
    build_destroy(&build);
}

static void test_1gib_pages_where_the_cpu_has_them(void **state)
{
    (void)state;
    const struct handoff_region ram[] = {region(0, 12 * TIB, HANDOFF_REGION_USABLE)};
    struct bootstrap_plan plan = plan_over(ram, 1);
    assert_true(bootstrap_tables_bound(&plan, &MODERN) < 50);
    struct build build;
    build_create(&build, &plan, &MODERN, 64);
    assert_int_equal(build.status, PAGE_TABLE_OK);
    assert_int_equal(build.direct_map_size_bytes, 12 * TIB);
    build_destroy(&build);
}

static void test_P12_without_no_execute(void **state)
{
    (void)state;
    struct page_table_features features = MODERN;
    features.no_execute = false;
    struct bootstrap_plan plan = plan_over(SMALL_MACHINE, 9);
    struct build build;
    build_create(&build, &plan, &features, 64);
    assert_int_equal(build.status, PAGE_TABLE_OK);
    struct page_mapping mapping;
    assert_int_equal(page_table_lookup(&build.table, virt_addr(DIRECT + 0x1000), &mapping),
                     PAGE_TABLE_OK);
    assert_true(mapping.permissions.execute); /* this CPU cannot forbid it */
    build_destroy(&build);
}

static void test_P7_page_0_is_in_the_direct_map_only(void **state)
{
    (void)state;
    const struct handoff_region ram[] = {region(0, 0x100000, HANDOFF_REGION_ACPI_NVS)};
    struct bootstrap_plan plan = plan_over(ram, 1);
    check_plan(&plan);

    struct placement at_zero = PLACEMENT;
    at_zero.loader.sections[0] = (struct loader_section){phys_range(0, 0x2000), .execute = true};
    at_zero.loader.section_count = 1;
    plan.placement = &at_zero;
    struct build build;
    build_create(&build, &plan, &MODERN, 64);
    assert_int_equal(build.status, PAGE_TABLE_NULL_PAGE);
    assert_int_equal(build.direct_map_size_bytes, 77);
    build_destroy(&build);
}

static void test_P8_page_below_the_stack_is_unmapped(void **state)
{
    (void)state;
    struct bootstrap_plan plan = plan_over(SMALL_MACHINE, 9);
    struct build build;
    struct page_mapping mapping;
    build_create(&build, &plan, &MODERN, 64);
    assert_int_equal(
        page_table_lookup(&build.table, virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE - 1), &mapping),
        PAGE_TABLE_NOT_MAPPED);
    assert_int_equal(
        page_table_lookup(&build.table,
                          virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE + BOOTSTRAP_STACK_SIZE_BYTES - 1),
                          &mapping),
        PAGE_TABLE_OK);
    build_destroy(&build);
}

/* From the smallest to the largest that a kernel's note can demand. */
static void test_stack_of_every_size(void **state)
{
    (void)state;
    static const uint64_t SIZES[] = {BOOTSTRAP_STACK_SIZE_BYTES, BOOTSTRAP_STACK_SIZE_BYTES + 4096,
                                     UINT64_C(2) << 20, UINT64_C(16) << 20};
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        struct placement placement = PLACEMENT;
        struct bootstrap_plan plan = plan_over(SMALL_MACHINE, 9);
        placement.stack = phys_range(0x10000000, 0x10000000 + SIZES[i]);
        plan.placement = &placement;
        check_plan(&plan);
    }
}

static void test_P5_writable_executable_section_is_refused(void **state)
{
    (void)state;
    struct placement both = PLACEMENT;
    both.loader.sections[0] = (struct loader_section){phys_range(0x1000, 0x2000), true, true};
    both.loader.section_count = 1;
    struct bootstrap_plan plan = plan_over(SMALL_MACHINE, 9);
    plan.placement = &both;
    struct build build;
    build_create(&build, &plan, &MODERN, 64);
    assert_int_equal(build.status, PAGE_TABLE_WRITABLE_EXECUTABLE);
    build_destroy(&build);
}

static void test_ram_beyond_the_direct_maps_window_is_left_out(void **state)
{
    (void)state;
    const uint64_t limit = DIRECT_MAP_LIMIT_BYTES_4_LEVELS;
    const struct handoff_region ram[] = {region(0x1000, 0xff000, HANDOFF_REGION_USABLE),
                                         region(limit - GIB, 2 * GIB, HANDOFF_REGION_USABLE),
                                         region(limit + 4 * GIB, GIB, HANDOFF_REGION_USABLE)};
    struct bootstrap_plan plan = plan_over(ram, 3);
    struct page_table_features features = MODERN;
    features.physical_bits = 52;
    struct build build;
    struct page_mapping mapping;
    build_create(&build, &plan, &features, bootstrap_tables_bound(&plan, &features));
    assert_int_equal(build.status, PAGE_TABLE_OK);
    assert_int_equal(build.direct_map_size_bytes, limit);
    assert_int_equal(page_table_lookup(&build.table, virt_addr(DIRECT + limit - 1), &mapping),
                     PAGE_TABLE_OK);
    assert_int_equal(page_table_lookup(&build.table, virt_addr(DIRECT + limit), &mapping),
                     PAGE_TABLE_NOT_MAPPED);
    build_destroy(&build);
}

static void test_P11_five_levels_have_room_for_all_ram(void **state)
{
    (void)state;
    const struct handoff_region ram[] = {region(0x1000, 0xff000, HANDOFF_REGION_USABLE),
                                         region(65 * TIB, 2 * GIB, HANDOFF_REGION_USABLE),
                                         region(4096 * TIB - GIB, GIB, HANDOFF_REGION_USABLE)};
    struct bootstrap_plan plan = plan_over(ram, 3);
    struct page_table_features features = MODERN;
    features.physical_bits = 52;
    features.levels = 5;
    struct build build;
    build_create(&build, &plan, &features, bootstrap_tables_bound(&plan, &features));
    assert_int_equal(build.status, PAGE_TABLE_OK);
    assert_is_exactly_the_plan(&build, &plan);
    assert_int_equal(build.direct_map_size_bytes, 4096 * TIB);
    build_destroy(&build);
}

/* Only the loader's image and the trampoline, at their physical addresses, within the bound. The
 * tables have the levels before the switch. */
static void check_switch_tables(unsigned levels_before, unsigned levels_after)
{
    struct bootstrap_plan plan = plan_over(SMALL_MACHINE, 9);
    struct page_table_features features = MODERN;
    features.levels = levels_after;
    uint64_t bound_without = bootstrap_tables_bound(&plan, &features);
    static const uint64_t TRAMPOLINES[] = {0x1000, 0x1e009000, 0x1ffff000, 0xfffff000};
    struct placement placement = PLACEMENT;
    plan.placement = &placement;
    plan.trampoline_levels = levels_before;
    for (size_t i = 0; i < 4; i++) {
        placement.trampoline = phys_range(TRAMPOLINES[i], TRAMPOLINES[i] + 2 * PAGE_SIZE_BYTES);
        uint64_t bound = bootstrap_tables_bound(&plan, &features) - bound_without;
        struct build build;
        features.levels = levels_before;
        fake_memory_create(&build.memory, bound);
        struct page_table_memory callbacks = fake_memory_callbacks(&build.memory);
        assert_int_equal(page_table_create(&features, &callbacks, &build.table), PAGE_TABLE_OK);
        assert_int_equal(bootstrap_tables_build_switch(&plan, &build.table), PAGE_TABLE_OK);
        features.levels = levels_after;

        struct page_mapping mapping;
        uint64_t mapped_bytes = 0;
        assert_int_equal(page_table_lookup(&build.table, virt_addr(TRAMPOLINES[i]), &mapping),
                         PAGE_TABLE_OK);
        assert_int_equal(mapping.physical.value, TRAMPOLINES[i]);
        assert_true(mapping.permissions.execute && !mapping.permissions.write);
        for (size_t k = 0; k < 3; k++) {
            const struct loader_section *section = &placement.loader.sections[k];
            uint64_t base = section->memory.start.value;
            assert_int_equal(page_table_lookup(&build.table, virt_addr(base), &mapping),
                             PAGE_TABLE_OK);
            assert_int_equal(mapping.physical.value, base);
            assert_int_equal(mapping.permissions.write, section->write);
            assert_int_equal(mapping.permissions.execute, section->execute);
        }
        assert_true(page_table_walk(&build.table, add_size, &mapped_bytes));
        assert_int_equal(mapped_bytes, 0x8000 + 0x1000);
        build_destroy(&build);
    }
}

static void test_P11_L1_switch_tables(void **state)
{
    (void)state;
    check_switch_tables(4, 5);
    check_switch_tables(5, 4);
}

static void test_framebuffer_beyond_the_window_is_refused(void **state)
{
    (void)state;
    struct page_table_features features = MODERN;
    features.physical_bits = 52;
    static const uint64_t BAD[] = {DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
                                   DIRECT_MAP_LIMIT_BYTES_4_LEVELS - 0x1000};
    for (size_t i = 0; i < 2; i++) {
        const struct handoff_region screen = {BAD[i], 0x400000, .type = HANDOFF_REGION_FRAMEBUFFER,
                                              .facts = PIXEL_FACTS};
        const struct bootstrap_plan plan = plan_over(&screen, 1);
        struct build build;
        build_create(&build, &plan, &features, 64);
        assert_int_equal(build.status, PAGE_TABLE_PHYSICAL_TOO_HIGH);
        build_destroy(&build);
    }
}

static void test_P4_every_allocation_can_fail(void **state)
{
    (void)state;
    struct bootstrap_plan plan = plan_over(SMALL_MACHINE, 9);
    for (unsigned n = 2;; n++) { /* the first allocation is the root's */
        struct build build;
        fake_memory_create(&build.memory, 64);
        fake_memory_fail_allocation(&build.memory, n);
        struct page_table_memory callbacks = fake_memory_callbacks(&build.memory);
        assert_int_equal(page_table_create(&MODERN, &callbacks, &build.table), PAGE_TABLE_OK);
        uint64_t size_bytes = 77;
        enum page_table_status status = bootstrap_tables_build(&plan, &build.table, &size_bytes);
        assert_int_equal(build.table.table_count, build.memory.used_count);
        build_destroy(&build);
        if (status == PAGE_TABLE_OK) {
            assert_true(n > 10);
            return;
        }
        assert_int_equal(status, PAGE_TABLE_NO_MEMORY);
        assert_int_equal(size_bytes, 77);
    }
}

static void check_real_map(const char *path, void *context)
{
    static struct memory_map_descriptor rows[1024];
    static struct handoff_region regions[2048];
    static uint64_t work[2048];
    (void)context;
    size_t row_count = memory_map_file_read(path, rows, 1024);
    const struct memory_map_request request = {
        .map = rows,
        .size_bytes = row_count * sizeof(rows[0]),
        .stride_bytes = sizeof(rows[0]),
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
    };
    const struct memory_map_room room = {work, 2048, regions, 2048};
    struct memory_map_result result;
    enum memory_map_status status = memory_map_convert(&request, &room, &result);
    if (status == MEMORY_MAP_EMPTY)
        return;
    assert_int_equal(status, MEMORY_MAP_OK);
    struct bootstrap_plan plan = plan_over(regions, result.region_count);
    check_plan(&plan);
}

static void test_maps_of_real_machines(void **state)
{
    (void)state;
    assert_true(memory_map_file_each(check_real_map, NULL) >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P5_P14_exactly_the_plan_is_mapped),
        cmocka_unit_test(test_T1_firmware_tables_are_mapped_and_counted),
        cmocka_unit_test(test_T1_bound_grows_by_the_table_pages_of_firmware_tables),
        cmocka_unit_test(test_T1_firmware_tables_are_read_only_and_never_executed),
        cmocka_unit_test(test_firmware_tables_beyond_the_window_are_refused),
        cmocka_unit_test(test_X8_loader_sections_are_in_both_places),
        cmocka_unit_test(test_touching_ram_shares_large_pages),
        cmocka_unit_test(test_1gib_pages_where_the_cpu_has_them),
        cmocka_unit_test(test_P12_without_no_execute),
        cmocka_unit_test(test_P7_page_0_is_in_the_direct_map_only),
        cmocka_unit_test(test_P8_page_below_the_stack_is_unmapped),
        cmocka_unit_test(test_stack_of_every_size),
        cmocka_unit_test(test_P5_writable_executable_section_is_refused),
        cmocka_unit_test(test_ram_beyond_the_direct_maps_window_is_left_out),
        cmocka_unit_test(test_P11_five_levels_have_room_for_all_ram),
        cmocka_unit_test(test_P11_L1_switch_tables),
        cmocka_unit_test(test_G1_G6_every_framebuffer_is_mapped_and_counted),
        cmocka_unit_test(test_framebuffer_beyond_the_window_is_refused),
        cmocka_unit_test(test_P4_every_allocation_can_fail),
        cmocka_unit_test(test_maps_of_real_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
