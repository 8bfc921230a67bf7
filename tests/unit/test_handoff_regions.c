/* The memory map of a handoff. Catalogue group H. */
#include "kernel/mm/layout.h"
#include "shared/address.h"
#include "shared/region.h"
#include "tests/unit/support/handoff_expect.h"

static void test_H14_region_count_or_stride_zero_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, regions.count, 0, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, regions.count, UINT32_MAX, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, regions.stride_bytes, 0, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, regions.stride_bytes, 24, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, regions.stride_bytes, 33, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, regions.stride_bytes, 0xfffffff8, HANDOFF_CHECK_REGIONS);
}

static void test_regions_that_are_not_normalised_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const struct handoff_region bad[] = {
        region_make(SAMPLE_DATA_BASE + 0x1000, SAMPLE_USABLE_SIZE, HANDOFF_REGION_USABLE, 7,
                    0xf),                                                           /* overlaps */
        region_make(0x10000, 0x1000, HANDOFF_REGION_USABLE, 7, 0xf),                /* unsorted */
        region_make(SAMPLE_USABLE_BASE, 0, HANDOFF_REGION_USABLE, 7, 0xf),          /* empty */
        region_make(SAMPLE_USABLE_BASE + 1, 0x1000, HANDOFF_REGION_USABLE, 7, 0xf), /* unaligned */
        region_make(SAMPLE_USABLE_BASE, 0x1001, HANDOFF_REGION_USABLE, 7, 0xf), /* unaligned end */
        region_make(SAMPLE_USABLE_BASE, ~PAGE_MASK, HANDOFF_REGION_MMIO, 11, 0xf), /* wraps */
        region_make(SAMPLE_USABLE_BASE, UINT64_C(1) << 52, HANDOFF_REGION_MMIO, 11,
                    0xf), /* above 52 bits */
        region_make(SAMPLE_USABLE_BASE, SAMPLE_FRAMEBUFFER_BASE, HANDOFF_REGION_MMIO, 11,
                    0xf), /* into the next */
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        *handoff_sample_region(sample, 7) = bad[i];
        handoff_expect_status(sample, HANDOFF_CHECK_REGIONS_NOT_NORMALISED);
    }
    handoff_sample_write_regions(sample);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
}

/* Facts decide what the kernel does with a region, so they must not contradict each other. */
static void test_regions_with_impossible_facts_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const struct {
        uint32_t type;
        uint32_t facts;
        uint32_t reuse;
    } bad[] = {
        {HANDOFF_REGION_USABLE, 0, HANDOFF_REUSE_AT_ENTRY},
        {HANDOFF_REGION_USABLE, HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED, HANDOFF_REUSE_AT_ENTRY},
        {HANDOFF_REGION_USABLE, 7, HANDOFF_REUSE_NEVER},
        {HANDOFF_REGION_USABLE, 7, HANDOFF_REUSE_AFTER_HEAP},
        {HANDOFF_REGION_USABLE, 15, HANDOFF_REUSE_AT_ENTRY},
        {HANDOFF_REGION_RESERVED, 7, HANDOFF_REUSE_AT_ENTRY},
        {HANDOFF_REGION_ACPI_NVS, 7, HANDOFF_REUSE_AT_ENTRY},
        {0x777, HANDOFF_FACT_RAM | HANDOFF_FACT_WRITABLE, HANDOFF_REUSE_NEVER},
        {0x777, HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED, HANDOFF_REUSE_AT_ENTRY},
        {0x777, 0, HANDOFF_REUSE_AFTER_ACPI},
        {0x777, 0, 99},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct handoff_region *region = handoff_sample_region(sample, 0);
        region->type = bad[i].type;
        region->facts = bad[i].facts;
        region->reuse = bad[i].reuse;
        handoff_expect_status(sample, HANDOFF_CHECK_REGIONS_FACTS);
    }
}

/* A type of a newer minor version: the kernel uses the facts of the region. */
static void test_regions_of_an_unknown_type_are_accepted(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_region *region = handoff_sample_region(sample, 0);
    region->type = 0x777;
    handoff_expect_status(sample, HANDOFF_CHECK_OK); /* with the facts of usable RAM */
    region->reuse = 99;
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    region->facts = 0;
    region->reuse = HANDOFF_REUSE_NEVER;
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    region->facts = HANDOFF_FACT_RAM; /* that nothing has mapped */
    handoff_sample_unmap(sample, LAYOUT_DIRECT_MAP_BASE, SAMPLE_TEMP_HEAP_BASE);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    region->facts = HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE;
    handoff_expect_status(sample, HANDOFF_CHECK_REGIONS_NOT_MAPPED);
}

static void test_direct_map_must_map_the_ram(void **state)
{
    struct handoff_sample *sample = *state;
    struct page_permissions read_write = {.write = true};
    struct page_permissions execute = {.execute = true};
    const struct {
        uint64_t physical;
        enum handoff_check_status expected;
    } pages[] = {
        {SAMPLE_TABLES_BASE, HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED},
        {SAMPLE_TABLES_BASE + SAMPLE_TABLES_SIZE - 0x1000, HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED},
        {SAMPLE_DATA_BASE, HANDOFF_CHECK_DATA_NOT_MAPPED},
        {SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 0x1000, HANDOFF_CHECK_DATA_NOT_MAPPED},
        {0x1000, HANDOFF_CHECK_REGIONS_NOT_MAPPED},
        {SAMPLE_KERNEL_BASE, HANDOFF_CHECK_REGIONS_NOT_MAPPED},
        {SAMPLE_LOADER_BASE + SAMPLE_LOADER_SIZE - 0x1000, HANDOFF_CHECK_REGIONS_NOT_MAPPED},
    };
    for (unsigned i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        uint64_t page = LAYOUT_DIRECT_MAP_BASE + pages[i].physical;
        handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
        handoff_expect_status(sample, pages[i].expected);
        handoff_sample_map(sample, page, pages[i].physical ^ 0x1000, PAGE_SIZE_BYTES, read_write);
        handoff_expect_status(sample, pages[i].expected);
        handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
        handoff_sample_map(sample, page, pages[i].physical, PAGE_SIZE_BYTES, execute);
        handoff_expect_status(sample, pages[i].expected);
        handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
        handoff_sample_map(sample, page, pages[i].physical, PAGE_SIZE_BYTES, read_write);
        handoff_expect_status(sample, HANDOFF_CHECK_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_H14_region_count_or_stride_zero_is_refused),
        HANDOFF_TEST(test_regions_that_are_not_normalised_are_refused),
        HANDOFF_TEST(test_regions_with_impossible_facts_are_refused),
        HANDOFF_TEST(test_regions_of_an_unknown_type_are_accepted),
        HANDOFF_TEST(test_direct_map_must_map_the_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
