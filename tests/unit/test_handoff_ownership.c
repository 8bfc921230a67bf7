/* The blocks that the loader placed, compared with the CPU and the linker. Catalogue group H. */
#include "kernel/mm/layout.h"
#include "shared/address.h"
#include "shared/range.h"
#include "shared/region.h"
#include "tests/unit/support/handoff_expect.h"

/* Shrink a region of the sample, or give it another type. Then make all regions good again. */
static void region_gives(struct handoff_sample *sample, uint32_t index, uint32_t type,
                         uint64_t shrink_bytes, enum handoff_check_status expected)
{
    handoff_sample_retype(sample, index, type);
    handoff_sample_region(sample, index)->size_bytes -= shrink_bytes;
    handoff_expect_status(sample, expected);
    handoff_sample_write_regions(sample);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
}

static void test_blocks_of_the_loader_must_lie_in_regions_of_their_type(void **state)
{
    struct handoff_sample *sample = *state;
    const struct {
        uint32_t index;
        enum handoff_region_type type;
        enum handoff_check_status expected;
    } blocks[] = {
        {3, HANDOFF_REGION_KERNEL_IMAGE, HANDOFF_CHECK_KERNEL_IMAGE},
        {4, HANDOFF_REGION_STACK, HANDOFF_CHECK_STACK},
        {5, HANDOFF_REGION_PAGE_TABLES, HANDOFF_CHECK_PAGE_TABLES_REGION},
        {6, HANDOFF_REGION_HANDOFF_DATA, HANDOFF_CHECK_DATA_REGION},
        {8, HANDOFF_REGION_LOADER, HANDOFF_CHECK_LOADER},
    };
    for (unsigned i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        for (uint32_t type = 0; type <= HANDOFF_REGION_FRAMEBUFFER + 1; type++) {
            bool is_low_loader =
                blocks[i].type == HANDOFF_REGION_LOADER && type == HANDOFF_REGION_LOW_MEMORY;
            if (type != blocks[i].type && !is_low_loader)
                region_gives(sample, blocks[i].index, type, 0, blocks[i].expected);
        }
        region_gives(sample, blocks[i].index, blocks[i].type, 0x1000, blocks[i].expected);
    }

    assert_field_gives(sample, kernel_physical_base, SAMPLE_KERNEL_BASE + 1,
                       HANDOFF_CHECK_KERNEL_IMAGE);
    assert_field_gives(sample, kernel_physical_base, ~PAGE_MASK, HANDOFF_CHECK_KERNEL_IMAGE);
    assert_field_gives(sample, stack_physical_base, 0, HANDOFF_CHECK_STACK);
    assert_field_gives(sample, stack_size_bytes, UINT64_MAX, HANDOFF_CHECK_STACK);
    assert_field_gives(sample, stack_size_bytes, 0, HANDOFF_CHECK_STACK);
    assert_field_gives(sample, page_tables_size_bytes, 0, HANDOFF_CHECK_PAGE_TABLES);
    assert_field_gives(sample, loader_physical_base, SAMPLE_USABLE_BASE, HANDOFF_CHECK_LOADER);
    assert_field_gives(sample, loader_physical_base, SAMPLE_LOADER_BASE + 1, HANDOFF_CHECK_LOADER);
    assert_field_gives(sample, loader_size_bytes, 0, HANDOFF_CHECK_LOADER);
    assert_field_gives(sample, loader_size_bytes, SAMPLE_LOADER_SIZE + 4096, HANDOFF_CHECK_LOADER);
    assert_field_gives(sample, loader_size_bytes, UINT64_MAX, HANDOFF_CHECK_LOADER);
}

/* Low memory is never reclaimed, so the handlers in it stay too. */
static void test_loader_that_the_firmware_loaded_below_1_MiB_is_accepted(void **state)
{
    struct handoff_sample *sample = *state;
    region_gives(sample, 8, HANDOFF_REGION_LOW_MEMORY, 0, HANDOFF_CHECK_OK);
    region_gives(sample, 8, HANDOFF_REGION_LOW_MEMORY, 0x1000, HANDOFF_CHECK_LOADER);
}

/* Otherwise the rest of the image would be free memory, although the kernel runs in it. */
static void test_image_of_another_size_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t sizes[] = {0,
                              1,
                              PAGE_SIZE_BYTES,
                              SAMPLE_KERNEL_SIZE - PAGE_SIZE_BYTES,
                              SAMPLE_KERNEL_SIZE - 1,
                              SAMPLE_KERNEL_SIZE + 1,
                              SAMPLE_KERNEL_SIZE + PAGE_SIZE_BYTES,
                              ~PAGE_MASK,
                              UINT64_MAX};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_field_gives(sample, kernel_size_bytes, sizes[i], HANDOFF_CHECK_KERNEL_SIZE);
    /* A loader whose regions agree with its wrong size. There was such a loader. */
    handoff_sample_region(sample, 3)->size_bytes = PAGE_SIZE_BYTES;
    sample->handoff->kernel_size_bytes = PAGE_SIZE_BYTES;
    handoff_expect_status(sample, HANDOFF_CHECK_KERNEL_SIZE);
}

static void test_image_at_another_address_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t bases[] = {0, LAYOUT_KERNEL_IMAGE_BASE - PAGE_SIZE_BYTES,
                              LAYOUT_KERNEL_IMAGE_BASE + PAGE_SIZE_BYTES,
                              LAYOUT_KERNEL_IMAGE_BASE + 1, UINT64_C(0x0000900000000000)};
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        assert_field_gives(sample, kernel_virtual_base, bases[i], HANDOFF_CHECK_KERNEL_BASE);
    assert_field_gives(sample, kernel_entry, SAMPLE_ENTRY + 1, HANDOFF_CHECK_KERNEL_ENTRY);
    assert_field_gives(sample, kernel_entry, LAYOUT_KERNEL_IMAGE_BASE, HANDOFF_CHECK_KERNEL_ENTRY);
    assert_field_gives(sample, kernel_entry, 0, HANDOFF_CHECK_KERNEL_ENTRY);
    assert_field_gives(sample, kernel_slide, PAGE_SIZE_BYTES, HANDOFF_CHECK_KERNEL_SLIDE);
    assert_state_gives(sample, slide, PAGE_SIZE_BYTES, HANDOFF_CHECK_KERNEL_SLIDE);
    sample->state.slide = UINT64_C(0x7200000);
    sample->handoff->kernel_slide = UINT64_C(0x7200000);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
}

/* Each page of each segment, at another address and with other permissions. */
static void test_segments_that_are_mapped_otherwise_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    for (unsigned i = 0; i < SAMPLE_SEGMENT_COUNT; i++) {
        const struct kernel_segment *segment = &sample->segments[i];
        for (uint64_t page = segment->virtual.start.value; page < segment->virtual.end.value;
             page += PAGE_SIZE_BYTES) {
            uint64_t physical = SAMPLE_KERNEL_BASE + (page - LAYOUT_KERNEL_IMAGE_BASE);
            struct page_permissions good = {.write = segment->write, .execute = segment->execute};
            const struct page_permissions others[] = {
                {.write = !good.write},
                {.write = good.write, .execute = !good.execute && !good.write},
                {.write = good.write, .execute = good.execute, .memory_type = PAGE_MEMORY_UNCACHED},
            };
            handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
            handoff_expect_status(sample, HANDOFF_CHECK_KERNEL_NOT_MAPPED);
            handoff_sample_map(sample, page, physical ^ PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, good);
            handoff_expect_status(sample, HANDOFF_CHECK_KERNEL_NOT_MAPPED);
            for (unsigned k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
                if (others[k].write == good.write && others[k].execute == good.execute &&
                    others[k].memory_type == good.memory_type)
                    continue;
                handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
                handoff_sample_map(sample, page, physical, PAGE_SIZE_BYTES, others[k]);
                handoff_expect_status(sample, HANDOFF_CHECK_KERNEL_NOT_MAPPED);
            }
            handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
            handoff_sample_map(sample, page, physical, PAGE_SIZE_BYTES, good);
        }
    }
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    assert_field_gives(sample, kernel_physical_base, SAMPLE_STACK_BASE, HANDOFF_CHECK_KERNEL_IMAGE);
}

/* Two loaded images, of which the other one was handed over. */
static void test_image_at_another_physical_place_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    handoff_sample_region(sample, 3)->base = 0x1000000;
    handoff_sample_retype(sample, 3, HANDOFF_REGION_KERNEL_IMAGE);
    *handoff_sample_region(sample, 7) = *handoff_sample_region(sample, 3);
    *handoff_sample_region(sample, 3) =
        region_make(SAMPLE_KERNEL_BASE, SAMPLE_KERNEL_SIZE, HANDOFF_REGION_LOADER, 2, 0xf);
    sample->handoff->kernel_physical_base = 0x1000000;
    handoff_expect_status(sample, HANDOFF_CHECK_KERNEL_NOT_MAPPED);
}

static void test_stack_that_is_not_in_use_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t pointers[] = {0,
                                 SAMPLE_STACK_VIRTUAL - 1,
                                 SAMPLE_STACK_VIRTUAL + SAMPLE_STACK_SIZE,
                                 SAMPLE_STACK_BASE + 0x100,
                                 LAYOUT_DIRECT_MAP_BASE + SAMPLE_STACK_BASE + 0x100,
                                 UINT64_MAX};
    for (unsigned i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
        assert_state_gives(sample, stack_pointer, virt_addr(pointers[i]),
                           HANDOFF_CHECK_STACK_POINTER);
    assert_state_gives(sample, stack_pointer, virt_addr(SAMPLE_STACK_VIRTUAL), HANDOFF_CHECK_OK);
    assert_field_gives(sample, stack_virtual_base, SAMPLE_STACK_VIRTUAL - SAMPLE_STACK_SIZE,
                       HANDOFF_CHECK_STACK_POINTER);
}

static void test_stack_in_a_wrong_place_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t bases[] = {0,
                              1,
                              PAGE_SIZE_BYTES,
                              SAMPLE_STACK_BASE,            /* identity-mapped */
                              UINT64_C(0x00007fffffff0000), /* the end of the lower half */
                              UINT64_C(0x8000000000000000), /* no page below in this half */
                              SAMPLE_STACK_VIRTUAL + 8,
                              ~PAGE_MASK};
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        assert_field_gives(sample, stack_virtual_base, bases[i], HANDOFF_CHECK_STACK);

    struct page_permissions read_write = {.write = true};
    const struct page_permissions others[] = {
        {.write = false}, {.execute = true}, {.write = true, .memory_type = PAGE_MEMORY_UNCACHED}};
    uint64_t last = SAMPLE_STACK_VIRTUAL + SAMPLE_STACK_SIZE - PAGE_SIZE_BYTES;
    uint64_t last_physical = SAMPLE_STACK_BASE + SAMPLE_STACK_SIZE - PAGE_SIZE_BYTES;
    handoff_sample_unmap(sample, last, PAGE_SIZE_BYTES);
    handoff_expect_status(sample, HANDOFF_CHECK_STACK_NOT_MAPPED);
    handoff_sample_map(sample, last, SAMPLE_USABLE_BASE, PAGE_SIZE_BYTES, read_write);
    handoff_expect_status(sample, HANDOFF_CHECK_STACK_NOT_MAPPED);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        handoff_sample_unmap(sample, last, PAGE_SIZE_BYTES);
        handoff_sample_map(sample, last, last_physical, PAGE_SIZE_BYTES, others[i]);
        handoff_expect_status(sample, HANDOFF_CHECK_STACK_NOT_MAPPED);
    }
    handoff_sample_unmap(sample, last, PAGE_SIZE_BYTES);
    handoff_sample_map(sample, last, last_physical, PAGE_SIZE_BYTES, read_write);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
}

static void test_stack_without_a_guard_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    struct page_permissions read_only = {.write = false};
    handoff_sample_map(sample, SAMPLE_STACK_VIRTUAL - PAGE_SIZE_BYTES, SAMPLE_USABLE_BASE,
                       PAGE_SIZE_BYTES, read_only);
    handoff_expect_status(sample, HANDOFF_CHECK_STACK_GUARD);
}

static void test_tables_of_the_cpu_must_be_in_the_loader(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t end = SAMPLE_LOADER_VIRTUAL + SAMPLE_LOADER_SIZE;
    const struct virt_range outside[] = {
        virt_range(SAMPLE_LOADER_VIRTUAL - 8, SAMPLE_LOADER_VIRTUAL + 8),
        virt_range(end - 8, end + 8),
        virt_range(SAMPLE_LOADER_BASE, SAMPLE_LOADER_BASE + 40),
        virt_range(0, UINT64_MAX),
    };
    for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_state_gives(sample, cpu_tables[0], outside[i], HANDOFF_CHECK_CPU_TABLES);
        assert_state_gives(sample, cpu_tables[1], outside[i], HANDOFF_CHECK_CPU_TABLES);
    }
}

/* Memory of these types outside of its block would never have the right owner. */
static void test_regions_beside_their_block_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint32_t types[] = {HANDOFF_REGION_STACK, HANDOFF_REGION_PAGE_TABLES,
                              HANDOFF_REGION_HANDOFF_DATA, HANDOFF_REGION_KERNEL_IMAGE};
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        region_gives(sample, 0, types[i], 0, HANDOFF_CHECK_STRAY_REGION);
    region_gives(sample, 0, HANDOFF_REGION_LOADER, 0, HANDOFF_CHECK_OK);
}

static void hand_over_processor_start(struct handoff_sample *sample, uint32_t region)
{
    handoff_sample_write_regions(sample);
    handoff_sample_region(sample, region)->size_bytes = PAGE_SIZE_BYTES;
    handoff_sample_retype(sample, region, HANDOFF_REGION_PROCESSOR_START);
    sample->handoff->processor_start_base = handoff_sample_region(sample, region)->base;
    sample->handoff->processor_start_size_bytes = PAGE_SIZE_BYTES;
}

static void test_processor_start_is_a_page_below_1M_of_its_type(void **state)
{
    struct handoff_sample *sample = *state;
    const uint32_t low_ram = 0;
    const uint32_t high_ram = 7;
    const enum handoff_check_status refused = HANDOFF_CHECK_PROCESSOR_START;
    hand_over_processor_start(sample, low_ram);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    assert_field_gives(sample, processor_start_base, 0, refused);
    assert_field_gives(sample, processor_start_base, 0x1800, refused);
    assert_field_gives(sample, processor_start_base, 0x2000, refused);
    assert_field_gives(sample, processor_start_base, UINT64_C(0) - PAGE_SIZE_BYTES, refused);
    assert_field_gives(sample, processor_start_size_bytes, 0, refused);
    assert_field_gives(sample, processor_start_size_bytes, 0x800, refused);
    assert_field_gives(sample, processor_start_size_bytes, 0x2000, refused);
    assert_field_gives(sample, processor_start_size_bytes, UINT64_MAX, refused);
    handoff_sample_retype(sample, low_ram, HANDOFF_REGION_LOW_MEMORY);
    handoff_expect_status(sample, refused);
    hand_over_processor_start(sample, high_ram);
    handoff_expect_status(sample, refused);
}

static void hand_over_boot_record(struct handoff_sample *sample, uint32_t region)
{
    handoff_sample_write_regions(sample);
    handoff_sample_region(sample, region)->size_bytes = 2 * PAGE_SIZE_BYTES;
    handoff_sample_retype(sample, region, HANDOFF_REGION_BOOT_RECORD);
    sample->handoff->previous_boot.base = handoff_sample_region(sample, region)->base;
    sample->handoff->previous_boot.size_bytes = 2 * PAGE_SIZE_BYTES;
}

static void test_boot_record_is_two_pages_of_its_type(void **state)
{
    struct handoff_sample *sample = *state;
    const uint32_t high_ram = 7;
    const enum handoff_check_status refused = HANDOFF_CHECK_BOOT_RECORD;
    hand_over_boot_record(sample, high_ram);
    uint64_t base = sample->handoff->previous_boot.base;
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    assert_field_gives(sample, previous_boot.base, 0, refused);
    assert_field_gives(sample, previous_boot.base, base + 0x800, refused);
    assert_field_gives(sample, previous_boot.base, base + PAGE_SIZE_BYTES, refused);
    assert_field_gives(sample, previous_boot.base, UINT64_C(0) - PAGE_SIZE_BYTES, refused);
    assert_field_gives(sample, previous_boot.size_bytes, 0, refused);
    assert_field_gives(sample, previous_boot.size_bytes, PAGE_SIZE_BYTES, refused);
    assert_field_gives(sample, previous_boot.size_bytes, 0x2800, refused);
    assert_field_gives(sample, previous_boot.size_bytes, UINT64_MAX, refused);
    sample->handoff->previous_boot.base = 0;
    sample->handoff->previous_boot.size_bytes = 0;
    handoff_expect_status(sample, HANDOFF_CHECK_STRAY_REGION);
}

static void test_parking_lies_in_regions_of_its_type(void **state)
{
    struct handoff_sample *sample = *state;
    const uint32_t high_ram = 7;
    const enum handoff_check_status refused = HANDOFF_CHECK_PARKING;
    handoff_sample_write_regions(sample);
    handoff_sample_retype(sample, high_ram, HANDOFF_REGION_PARKING);
    const struct handoff_region *region = handoff_sample_region(sample, high_ram);
    sample->handoff->parking = (struct handoff_range){region->base, region->size_bytes};
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    assert_field_gives(sample, parking.base, 0, refused);
    assert_field_gives(sample, parking.base, region->base + 0x800, refused);
    assert_field_gives(sample, parking.base, region->base + PAGE_SIZE_BYTES, refused);
    assert_field_gives(sample, parking.base, UINT64_C(0) - PAGE_SIZE_BYTES, refused);
    assert_field_gives(sample, parking.size_bytes, 0, refused);
    assert_field_gives(sample, parking.size_bytes, 0x2800, refused);
    assert_field_gives(sample, parking.size_bytes, UINT64_MAX, refused);
    sample->handoff->parking.size_bytes -= PAGE_SIZE_BYTES;
    handoff_expect_status(sample, HANDOFF_CHECK_STRAY_REGION);
}

/* They lie at any bytes of their regions. */
static void test_symbols_lie_in_regions_of_their_type(void **state)
{
    struct handoff_sample *sample = *state;
    const uint32_t high_ram = 7;
    const enum handoff_check_status refused = HANDOFF_CHECK_KERNEL_SYMBOLS;
    const uint64_t base = handoff_sample_region(sample, high_ram)->base;
    const uint64_t end = base + PAGE_SIZE_BYTES;
    handoff_sample_region(sample, high_ram)->size_bytes = PAGE_SIZE_BYTES;
    assert_field_gives(sample, kernel_strings.size_bytes, 1, refused);
    sample->handoff->kernel_symbols = (struct handoff_array){base + 8, 3, 24};
    sample->handoff->kernel_strings = (struct handoff_range){base + 80, 5};
    handoff_expect_status(sample, refused); /* usable memory */
    handoff_sample_retype(sample, high_ram, HANDOFF_REGION_KERNEL_SYMBOLS);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    assert_field_gives(sample, kernel_symbols.stride_bytes, 16, refused);
    assert_field_gives(sample, kernel_symbols.stride_bytes, 28, refused);
    assert_field_gives(sample, kernel_symbols.stride_bytes, 32, HANDOFF_CHECK_OK);
    assert_field_gives(sample, kernel_symbols.first, base + 4, refused);
    assert_field_gives(sample, kernel_symbols.first, base - 8, refused);
    assert_field_gives(sample, kernel_symbols.first, 0 - UINT64_C(72), refused);
    assert_field_gives(sample, kernel_symbols.count, UINT32_MAX, refused);
    assert_field_gives(sample, kernel_strings.base, base - 1, refused);
    assert_field_gives(sample, kernel_strings.base, end - 5, HANDOFF_CHECK_OK);
    assert_field_gives(sample, kernel_strings.base, end - 4, refused);
    assert_field_gives(sample, kernel_strings.size_bytes, 0, refused);
    assert_field_gives(sample, kernel_strings.size_bytes, UINT64_MAX, refused);
    handoff_sample_region(sample, high_ram)->size_bytes = 3 * PAGE_SIZE_BYTES;
    handoff_expect_status(sample, HANDOFF_CHECK_STRAY_REGION);
    handoff_sample_region(sample, high_ram)->size_bytes = PAGE_SIZE_BYTES;
    sample->handoff->kernel_symbols = (struct handoff_array){0, 0, 0};
    sample->handoff->kernel_strings = (struct handoff_range){0, 0};
    handoff_expect_status(sample, HANDOFF_CHECK_STRAY_REGION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_blocks_of_the_loader_must_lie_in_regions_of_their_type),
        HANDOFF_TEST(test_loader_that_the_firmware_loaded_below_1_MiB_is_accepted),
        HANDOFF_TEST(test_image_of_another_size_is_refused),
        HANDOFF_TEST(test_image_at_another_address_is_refused),
        HANDOFF_TEST(test_segments_that_are_mapped_otherwise_are_refused),
        HANDOFF_TEST(test_image_at_another_physical_place_is_refused),
        HANDOFF_TEST(test_stack_that_is_not_in_use_is_refused),
        HANDOFF_TEST(test_stack_in_a_wrong_place_is_refused),
        HANDOFF_TEST(test_stack_without_a_guard_is_refused),
        HANDOFF_TEST(test_tables_of_the_cpu_must_be_in_the_loader),
        HANDOFF_TEST(test_regions_beside_their_block_are_refused),
        HANDOFF_TEST(test_boot_record_is_two_pages_of_its_type),
        HANDOFF_TEST(test_parking_lies_in_regions_of_its_type),
        HANDOFF_TEST(test_symbols_lie_in_regions_of_their_type),
        HANDOFF_TEST(test_processor_start_is_a_page_below_1M_of_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
