/*
 * test_handoff_build.c - the layout and the content of the handoff block.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/pure/claims.h"
#include "bootloader/pure/handoff_build.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/handoff_checksum.h"

/* The address that the kernel gets for the block. The block lies elsewhere. */
#define BLOCK_BASE         UINT64_C(0x1f000000)
#define MAP_CAPACITY_BYTES (UINT64_C(48) * 20)
#define PROCESSOR_COUNT    3

static const struct handoff_capacity CAPACITY = {MAP_CAPACITY_BYTES, PROCESSOR_COUNT, NULL};

struct fixture {
    struct handoff_block block;
    void *bytes;
    struct kernel_symbols symbols;
    struct handoff_sources sources;
    struct elf_plan kernel;
    struct placement placement;
    struct platform_facts platform;
    struct timeline timeline;
    struct loader_log log;
    struct config config;
};

static void lay_out(struct fixture *fixture)
{
    struct handoff_capacity capacity = CAPACITY;
    capacity.modules = &fixture->config.modules;
    uint64_t size_bytes = handoff_block_size_bytes(&capacity);
    fixture->bytes = aligned_alloc(PAGE_SIZE_BYTES, size_bytes);
    assert_non_null(fixture->bytes);
    memset(fixture->bytes, 0xa5, size_bytes);
    handoff_block_lay_out(&capacity, phys_range(BLOCK_BASE, BLOCK_BASE + size_bytes),
                          fixture->bytes, &fixture->block);
}

/* The places of the texts: an empty one, then two paths and a command line. */
static void add_modules(struct config_modules *modules)
{
    static const char TEXTS[] = "\0\\a\\one\0\\two\0words";
    modules->count = 2;
    modules->text_size_bytes = sizeof(TEXTS);
    memcpy(modules->texts, TEXTS, sizeof(TEXTS));
    modules->list[0] = (struct config_module){.path = 1, .name = 4};
    modules->list[1] = (struct config_module){
        .path = 8, .name = 9, .command_line = 13, .has_sha256 = true, .sha256 = {{1, 2}}};
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->config = (struct config){.command_line = "a=1 b", .kernel_path = "\\kernel.elf"};
    add_modules(&fixture->config.modules);
    lay_out(fixture);
    fixture->placement.modules[0] = phys_range(0x800000, 0x800001);
    fixture->placement.modules[1] = phys_range(0xa00000, 0xb00000);
    fixture->kernel.entry = virt_addr(0xffffffff80000010);
    fixture->kernel.image = virt_range(0xffffffff80000000, 0xffffffff80123000);
    fixture->placement.kernel = phys_range(0x100000, 0x223000);
    fixture->placement.stack = phys_range(0x300000, 0x310000);
    fixture->placement.temp_heaps[0] = phys_range(0x400000, 0x500000);
    fixture->placement.processor_start = phys_range(0x9f000, 0xa0000);
    fixture->placement.boot_record = phys_range(0x1fe000, 0x200000);
    fixture->placement.parking.memory = phys_range(0x580000, 0x590000);
    fixture->placement.page_tables = phys_range(0x600000, 0x620000);
    fixture->placement.loader.memory = phys_range(0x700000, 0x71a000);
    fixture->sources = (struct handoff_sources){
        .machine = HANDOFF_MACHINE_AARCH64,
        .arch = {.bytes = {1, 2, 3}},
        .levels = 4,
        .direct_map_size_bytes = 0x80000000,
        .integrity_flags = HANDOFF_INTEGRITY_MEASURED,
        .kernel = &fixture->kernel,
        .symbols = &fixture->symbols,
        .placement = &fixture->placement,
        .platform = &fixture->platform,
        .timeline = &fixture->timeline,
        .log = &fixture->log,
        .config = &fixture->config,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->bytes);
    free(fixture);
    return 0;
}

static const struct handoff *build(struct fixture *fixture)
{
    handoff_build(&fixture->block, &fixture->sources);
    return fixture->block.handoff;
}

/* Return the place in the block of the byte that the kernel finds at `address`. */
static const void *at(const struct fixture *fixture, uint64_t address)
{
    uint64_t size_bytes = phys_range_size_bytes(fixture->block.memory);
    assert_in_range(address, BLOCK_BASE, BLOCK_BASE + size_bytes - 1);
    return (const char *)fixture->bytes + (address - BLOCK_BASE);
}

/* --- The layout --- */

static void test_parts_follow_each_other_inside_the_block(void **state)
{
    const struct fixture *fixture = *state;
    const struct handoff_block *block = &fixture->block;
    const struct {
        const void *start;
        uint64_t size_bytes;
    } parts[] = {
        {block->handoff, sizeof(struct handoff)},
        {block->timeline, TIMELINE_CAPACITY * sizeof(struct handoff_moment)},
        {block->temp_heaps, CONFIG_HEAP_LIMIT * sizeof(struct handoff_temp_heap)},
        {block->framebuffers, FRAMEBUFFER_LIMIT * sizeof(struct handoff_framebuffer)},
        {block->processors, PROCESSOR_COUNT * sizeof(struct handoff_processor)},
        {block->firmware_tables, FIRMWARE_TABLES_LIMIT * sizeof(struct handoff_firmware_table)},
        {block->command_line, CONFIG_COMMAND_LINE_CAPACITY},
        {block->kernel_path, CONFIG_PATH_CAPACITY},
        {block->modules, 2 * sizeof(struct handoff_module)},
        {block->module_texts, fixture->config.modules.text_size_bytes},
        {block->log, LOADER_LOG_CAPACITY_BYTES + 1},
        {block->map.rows, MAP_CAPACITY_BYTES},
        {block->room.regions, block->room.region_capacity * sizeof(struct handoff_region)},
        {block->room.work, block->room.work_count * sizeof(uint64_t)},
    };
    const char *free_from = fixture->bytes;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *start = parts[i].start;
        assert_true(start >= free_from && start < free_from + 16);
        assert_int_equal((uintptr_t)start % 16, 0);
        assert_int_equal(handoff_block_address(block, start),
                         BLOCK_BASE + (uint64_t)(start - (const char *)fixture->bytes));
        free_from = start + parts[i].size_bytes;
    }
    uint64_t used_bytes = (uint64_t)(free_from - (const char *)fixture->bytes);
    assert_int_equal(page_align_up(used_bytes), phys_range_size_bytes(block->memory));
}

/* For the smallest rows that are accepted, with the largest number of claims. */
static void test_room_suffices_for_the_conversion(void **state)
{
    const struct fixture *fixture = *state;
    const struct memory_map_room *room = &fixture->block.room;
    uint64_t absent_count = CONFIG_MODULE_LIMIT - 2;
    uint64_t span_count = MAP_CAPACITY_BYTES / 40 + CLAIMS_LIMIT - absent_count;
    assert_int_equal(fixture->block.map.capacity_bytes, MAP_CAPACITY_BYTES);
    assert_int_equal(room->work_count, 2 * span_count);
    assert_int_equal(room->region_capacity, 2 * span_count + 2);
}

/* --- The structure --- */

static void test_header_and_checksum(void **state)
{
    struct fixture *fixture = *state;
    const struct handoff *handoff = build(fixture);
    assert_int_equal(handoff->magic, HANDOFF_MAGIC);
    assert_int_equal(handoff->version_major, HANDOFF_VERSION_MAJOR);
    assert_int_equal(handoff->version_minor, HANDOFF_VERSION_MINOR);
    assert_int_equal(handoff->size_bytes, sizeof(*handoff));
    assert_int_equal(handoff->machine, HANDOFF_MACHINE_AARCH64);
    assert_memory_equal(handoff->arch.bytes, ((uint8_t[]){1, 2, 3, 0}), 4);
    assert_int_equal(handoff->checksum, handoff_checksum(handoff, handoff->size_bytes));
    assert_int_equal(strncmp(handoff->loader_name, "handoff-loader ", 15), 0);
    assert_int_equal(handoff->data_base, BLOCK_BASE);
    assert_int_equal(handoff->integrity_flags, HANDOFF_INTEGRITY_MEASURED);
    assert_int_equal(handoff->data_size_bytes, phys_range_size_bytes(fixture->block.memory));
}

static void test_reserved_fields_are_zero(void **state)
{
    const struct handoff *handoff = build(*state);
    static const uint64_t ZEROS[16];
    assert_memory_equal(handoff->reserved, ZEROS, sizeof(handoff->reserved));
    assert_int_equal(handoff->reserved_0 | handoff->reserved_1 | handoff->reserved_2, 0);
    assert_int_equal(handoff->kernel_symbols.count, 0);
    assert_int_equal(handoff->kernel_slide, 0);
}

static void test_places(void **state)
{
    const struct handoff *handoff = build(*state);
    assert_int_equal(handoff->kernel_physical_base, 0x100000);
    assert_int_equal(handoff->kernel_virtual_base, 0xffffffff80000000);
    assert_int_equal(handoff->kernel_size_bytes, 0x123000);
    assert_int_equal(handoff->kernel_entry, 0xffffffff80000010);
    assert_int_equal(handoff->stack_physical_base, 0x300000);
    assert_int_equal(handoff->stack_virtual_base, BOOTSTRAP_STACK_VIRTUAL_BASE);
    assert_int_equal(handoff->stack_size_bytes, BOOTSTRAP_STACK_SIZE_BYTES);
    assert_int_equal(handoff->temp_heap_base, 0x400000);
    assert_int_equal(handoff->temp_heap_size, 0x100000);
    assert_int_equal(handoff->processor_start_base, 0x9f000);
    assert_int_equal(handoff->processor_start_size_bytes, 0x1000);
    assert_int_equal(handoff->previous_boot.base, 0x1fe000);
    assert_int_equal(handoff->previous_boot.size_bytes, 0x2000);
    assert_int_equal(handoff->parking.base, 0x580000);
    assert_int_equal(handoff->parking.size_bytes, 0x10000);
    assert_int_equal(handoff->page_tables_base, 0x600000);
    assert_int_equal(handoff->page_tables_size_bytes, 0x20000);
    assert_int_equal(handoff->loader_physical_base, 0x700000);
    assert_int_equal(handoff->loader_virtual_base, BOOTSTRAP_LOADER_VIRTUAL_BASE);
    assert_int_equal(handoff->loader_size_bytes, 0x1a000);
    assert_int_equal(handoff->direct_map_base, DIRECT_MAP_BASE_4_LEVELS);
    assert_int_equal(handoff->direct_map_size_bytes, 0x80000000);
}

static void test_slide_and_symbols(void **state)
{
    struct fixture *fixture = *state;
    const struct handoff_array none = {0, 0, 0};
    const struct handoff *handoff = build(fixture);
    assert_memory_equal(&handoff->kernel_symbols, &none, sizeof(none));
    assert_int_equal(handoff->kernel_strings.base | handoff->kernel_strings.size_bytes, 0);
    fixture->kernel.slide = 0x7200000;
    fixture->symbols = (struct kernel_symbols){phys_range(0x800000, 0x802000), 100, 1234};
    handoff = build(fixture);
    assert_int_equal(handoff->kernel_slide, 0x7200000);
    assert_int_equal(handoff->kernel_symbols.first, 0x800000);
    assert_int_equal(handoff->kernel_symbols.count, 100);
    assert_int_equal(handoff->kernel_symbols.stride_bytes, 24);
    assert_int_equal(handoff->kernel_strings.base, 0x800000 + 100 * 24);
    assert_int_equal(handoff->kernel_strings.size_bytes, 1234);
}

static void test_direct_map_of_five_levels(void **state)
{
    struct fixture *fixture = *state;
    fixture->sources.levels = 5;
    assert_int_equal(build(fixture)->direct_map_base, DIRECT_MAP_BASE_5_LEVELS);
}

static void test_absent_facts_are_zero(void **state)
{
    struct fixture *fixture = *state;
    fixture->placement.temp_heaps[0] = phys_range(0, 0);
    fixture->config.modules.count = 0;
    fixture->placement.processor_start = phys_range(0, 0);
    fixture->placement.boot_record = phys_range(0, 0);
    const struct handoff *handoff = build(fixture);
    const struct handoff_array none = {0, 0, 0};
    assert_int_equal(handoff->temp_heap_base | handoff->temp_heap_size, 0);
    assert_int_equal(handoff->processor_start_base | handoff->processor_start_size_bytes, 0);
    assert_int_equal(handoff->previous_boot.base | handoff->previous_boot.size_bytes, 0);
    assert_memory_equal(&handoff->temp_heaps, &none, sizeof(none));
    assert_memory_equal(&handoff->modules, &none, sizeof(none));
    assert_memory_equal(&handoff->framebuffers, &none, sizeof(none));
    assert_memory_equal(&handoff->firmware_tables, &none, sizeof(none));
    assert_memory_equal(&handoff->timeline, &none, sizeof(none));
    assert_memory_equal(&handoff->regions, &none, sizeof(none));
    assert_int_equal(handoff->efi_system_table | handoff->rsdp | handoff->smbios, 0);
    assert_int_equal(handoff->boot_source, HANDOFF_BOOT_SOURCE_UNKNOWN);
    assert_int_equal(handoff->random_seed_source, HANDOFF_SEED_NONE);
}

static void test_platform(void **state)
{
    struct fixture *fixture = *state;
    fixture->platform.efi_system_table = phys_addr(0x7f000018);
    fixture->platform.rsdp = phys_addr(0xe0000);
    fixture->platform.smbios = phys_addr(0xf0000);
    fixture->platform.boot_source = HANDOFF_BOOT_SOURCE_PARTITION;
    fixture->platform.seed_source = HANDOFF_SEED_CPU;
    memset(fixture->platform.boot_partition, 0x11, 16);
    memset(fixture->platform.seed, 0x22, 32);
    const struct handoff *handoff = build(fixture);
    assert_int_equal(handoff->efi_system_table, 0x7f000018);
    assert_int_equal(handoff->rsdp, 0xe0000);
    assert_int_equal(handoff->smbios, 0xf0000);
    assert_int_equal(handoff->boot_source, HANDOFF_BOOT_SOURCE_PARTITION);
    assert_int_equal(handoff->random_seed_source, HANDOFF_SEED_CPU);
    assert_memory_equal(handoff->boot_partition, fixture->platform.boot_partition, 16);
    assert_memory_equal(handoff->random_seed, fixture->platform.seed, 32);
}

static void test_arrays_are_copied_into_the_block(void **state)
{
    struct fixture *fixture = *state;
    fixture->platform.framebuffers = (struct framebuffer_list){
        .count = 2,
        .list = {{.base = 0xc0000000, .size_bytes = 0x300000, .width_pixels = 1024},
                 {.base = 0xd0000000, .size_bytes = 0x200000, .width_pixels = 800}}};
    fixture->platform.firmware_tables.count = 2;
    fixture->platform.firmware_tables.list[1].address = 0xe1000;
    timeline_mark(&fixture->timeline, 5, "first");
    timeline_mark(&fixture->timeline, 6, "second");
    fixture->block.region_count = 3;
    fixture->block.room.regions[2].base = 0x5000;
    const struct handoff *handoff = build(fixture);

    assert_int_equal(handoff->timeline.count, 2);
    const struct handoff_moment *moments = at(fixture, handoff->timeline.first);
    assert_int_equal(moments[1].ticks, 6);
    assert_string_equal(moments[1].name, "second");
    const struct handoff_firmware_table *tables = at(fixture, handoff->firmware_tables.first);
    assert_int_equal(handoff->firmware_tables.count, 2);
    assert_int_equal(tables[1].address, 0xe1000);
    const struct handoff_framebuffer *screen = at(fixture, handoff->framebuffers.first);
    assert_int_equal(handoff->framebuffers.count, 2);
    assert_int_equal(handoff->framebuffers.stride_bytes, sizeof(*screen));
    assert_int_equal(screen[0].width_pixels, 1024);
    assert_int_equal(screen[1].base, 0xd0000000);
    const struct handoff_region *regions = at(fixture, handoff->regions.first);
    assert_int_equal(handoff->regions.count, 3);
    assert_int_equal(regions[2].base, 0x5000);
    const struct handoff_temp_heap *heap = at(fixture, handoff->temp_heaps.first);
    assert_int_equal(handoff->temp_heaps.count, 1);
    assert_int_equal(heap->base, 0x400000);
    assert_int_equal(heap->size_bytes, 0x100000);
    assert_int_equal(handoff->regions.stride_bytes, sizeof(struct handoff_region));
}

static void test_further_temp_heaps(void **state)
{
    struct fixture *fixture = *state;
    fixture->placement.temp_heaps[1] = phys_range(0x900000, 0x902000);
    const struct handoff *handoff = build(fixture);
    const struct handoff_temp_heap *heaps = at(fixture, handoff->temp_heaps.first);
    assert_int_equal(handoff->temp_heaps.count, 2);
    assert_int_equal(handoff->temp_heap_base, 0x400000);
    assert_int_equal(heaps[0].base, 0x400000);
    assert_int_equal(heaps[1].base, 0x900000);
    assert_int_equal(heaps[1].size_bytes, 0x2000);
}

static void test_modules_have_places_and_texts(void **state)
{
    struct fixture *fixture = *state;
    const struct handoff *handoff = build(fixture);
    const struct handoff_module *modules = at(fixture, handoff->modules.first);
    static const uint8_t hash[32] = {1, 2};
    assert_int_equal(handoff->modules.count, 2);
    assert_int_equal(handoff->modules.stride_bytes, sizeof(*modules));
    assert_int_equal(modules[0].base, 0x800000);
    assert_int_equal(modules[0].size_bytes, 1);
    assert_string_equal(at(fixture, modules[0].name.address), "one");
    assert_int_equal(modules[0].name.size_bytes, 3);
    assert_string_equal(at(fixture, modules[0].command_line.address), "");
    assert_int_equal(modules[0].command_line.size_bytes, 0);
    assert_int_equal(modules[0].flags | modules[0].reserved, 0);
    assert_int_equal(modules[1].size_bytes, 0x100000);
    assert_int_equal(modules[1].flags, HANDOFF_MODULE_HASHED);
    assert_memory_equal(modules[1].sha256, hash, sizeof(hash));
    assert_string_equal(at(fixture, modules[1].name.address), "two");
    assert_string_equal(at(fixture, modules[1].command_line.address), "words");
}

/* The loader writes the elements before it builds the handoff. */
static void test_processors_are_those_in_the_block(void **state)
{
    struct fixture *fixture = *state;
    fixture->block.processors[2] = (struct handoff_processor){.hardware_id = 77};
    const struct handoff *handoff = build(fixture);
    const struct handoff_processor *processors = at(fixture, handoff->processors.first);
    assert_int_equal(handoff->processors.count, PROCESSOR_COUNT);
    assert_int_equal(handoff->processors.stride_bytes, sizeof(struct handoff_processor));
    assert_int_equal(processors[2].hardware_id, 77);
}

static void test_texts_end_in_a_nul(void **state)
{
    struct fixture *fixture = *state;
    loader_log_append(&fixture->log, "line\n", 5);
    const struct handoff *handoff = build(fixture);
    assert_string_equal(at(fixture, handoff->command_line.address), "a=1 b");
    assert_int_equal(handoff->command_line.size_bytes, 5);
    assert_string_equal(at(fixture, handoff->kernel_path.address), "\\kernel.elf");
    assert_string_equal(at(fixture, handoff->log.address), "line\n");
    assert_int_equal(handoff->log.size_bytes, 5);
}

static void test_longest_texts_fit(void **state)
{
    struct fixture *fixture = *state;
    memset(fixture->config.command_line, 'c', CONFIG_COMMAND_LINE_CAPACITY - 1);
    memset(fixture->config.kernel_path, 'k', CONFIG_PATH_CAPACITY - 1);
    memset(fixture->log.text, 'l', LOADER_LOG_CAPACITY_BYTES);
    fixture->log.size_bytes = LOADER_LOG_CAPACITY_BYTES;
    const struct handoff *handoff = build(fixture);
    assert_int_equal(strlen(at(fixture, handoff->command_line.address)), 1023);
    assert_int_equal(strlen(at(fixture, handoff->kernel_path.address)), 255);
    assert_int_equal(strlen(at(fixture, handoff->log.address)), LOADER_LOG_CAPACITY_BYTES);
}

static void test_firmware_map(void **state)
{
    struct fixture *fixture = *state;
    fixture->block.map.size_bytes = 480;
    fixture->block.map.stride_bytes = 48;
    fixture->block.map.version = 1;
    const struct handoff *handoff = build(fixture);
    assert_ptr_equal(at(fixture, handoff->efi_map), fixture->block.map.rows);
    assert_int_equal(handoff->efi_map_size_bytes, 480);
    assert_int_equal(handoff->efi_descriptor_size_bytes, 48);
    assert_int_equal(handoff->efi_descriptor_version, 1);
}

/* --- Claims --- */

static void test_claims_are_blocks_ranges_and_tables(void **state)
{
    (void)state;
    static struct claims claims;
    const struct memory_map_claim blocks[] = {
        {phys_range(0x1000, 0x2000), HANDOFF_REGION_STACK},
        {phys_range(0x2000, 0x4000), HANDOFF_REGION_TEMP_HEAP}};
    const struct phys_range loader = phys_range(0x8000, 0x9000);
    const struct firmware_tables tables = {
        .count = 4,
        .list = {{.address = 0xf0010, .size_bytes = 0x20},
                 {.address = 0xf1000}, /* its length is unknown */
                 {.address = 0xfffff0, .size_bytes = 0x10},
                 {.address = 0xfffff0, .size_bytes = 0x11}}, /* reaches beyond the limit */
    };
    claims_begin(&claims, blocks, 2);
    claims_add(&claims, &loader, HANDOFF_REGION_LOADER);
    const struct framebuffer_list screens = {.count = 2,
                                             .list = {{.base = 0xc0000000, .size_bytes = 0x300000},
                                                      {.base = 0xd0000000, .size_bytes = 0x1000}}};
    claims_add_framebuffers(&claims, &screens);
    claims_add_tables(&claims, &tables, 0x1000000);
    const struct memory_map_claim expected[] = {
        blocks[0],
        blocks[1],
        {loader, HANDOFF_REGION_LOADER},
        {phys_range(0xc0000000, 0xc0300000), HANDOFF_REGION_FRAMEBUFFER},
        {phys_range(0xd0000000, 0xd0001000), HANDOFF_REGION_FRAMEBUFFER},
        {phys_range(0xf0000, 0xf1000), HANDOFF_REGION_FIRMWARE_TABLES},
        {phys_range(0xfff000, 0x1000000), HANDOFF_REGION_FIRMWARE_TABLES},
    };
    assert_int_equal(claims.count, 7);
    for (size_t i = 0; i < claims.count; i++) {
        assert_int_equal(claims.list[i].range.start.value, expected[i].range.start.value);
        assert_int_equal(claims.list[i].range.end.value, expected[i].range.end.value);
        assert_int_equal(claims.list[i].type, expected[i].type);
    }
}

static void test_a_new_collection_forgets_the_old_one(void **state)
{
    (void)state;
    static struct claims claims;
    const struct memory_map_claim block = {phys_range(0x1000, 0x2000), HANDOFF_REGION_STACK};
    claims_begin(&claims, &block, 1);
    claims_begin(&claims, &block, 1);
    assert_int_equal(claims.count, 1);
}

#define BLOCK_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BLOCK_TEST(test_parts_follow_each_other_inside_the_block),
        BLOCK_TEST(test_room_suffices_for_the_conversion),
        BLOCK_TEST(test_header_and_checksum),
        BLOCK_TEST(test_reserved_fields_are_zero),
        BLOCK_TEST(test_places),
        BLOCK_TEST(test_slide_and_symbols),
        BLOCK_TEST(test_direct_map_of_five_levels),
        BLOCK_TEST(test_absent_facts_are_zero),
        BLOCK_TEST(test_platform),
        BLOCK_TEST(test_arrays_are_copied_into_the_block),
        BLOCK_TEST(test_further_temp_heaps),
        BLOCK_TEST(test_modules_have_places_and_texts),
        BLOCK_TEST(test_processors_are_those_in_the_block),
        BLOCK_TEST(test_texts_end_in_a_nul),
        BLOCK_TEST(test_longest_texts_fit),
        BLOCK_TEST(test_firmware_map),
        cmocka_unit_test(test_claims_are_blocks_ranges_and_tables),
        cmocka_unit_test(test_a_new_collection_forgets_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
