/* The block of handoff data, and the data in it that the structure points to. Catalogue group H. */
#include <string.h>

#include "shared/address.h"
#include "tests/unit/support/handoff_expect.h"

static void test_H4_pointers_out_of_the_data_block_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t outside[] = {0,
                                SAMPLE_DATA_BASE - 8,
                                SAMPLE_DATA_BASE - 0x1000,
                                SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE,
                                SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 8,
                                UINT64_MAX,
                                UINT64_MAX - 7,
                                UINT64_C(0x8000000000000000)};
    for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_field_gives(sample, regions.first, outside[i], HANDOFF_CHECK_REGIONS);
        assert_field_gives(sample, efi_map, outside[i], HANDOFF_CHECK_EFI_MAP);
        assert_field_gives(sample, timeline.first, outside[i], HANDOFF_CHECK_TIMELINE);
        if (outside[i] != SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 8)
            assert_field_gives(sample, log.address, outside[i], HANDOFF_CHECK_LOG);
        if (outside[i] != SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 8)
            assert_field_gives(sample, kernel_path.address, outside[i], HANDOFF_CHECK_KERNEL_PATH);
        if (outside[i] != SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 8)
            assert_field_gives(sample, command_line.address, outside[i],
                               HANDOFF_CHECK_COMMAND_LINE);
    }
    assert_field_gives(sample, regions.first, SAMPLE_DATA_BASE + SAMPLE_REGIONS_OFFSET + 4,
                       HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, efi_map, SAMPLE_DATA_BASE + SAMPLE_EFI_MAP_OFFSET + 1,
                       HANDOFF_CHECK_EFI_MAP);
    assert_field_gives(sample, timeline.first, SAMPLE_DATA_BASE + SAMPLE_TIMELINE_OFFSET + 2,
                       HANDOFF_CHECK_TIMELINE);
}

static void test_H4_data_block_must_hold_the_handoff(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, data_base, 0, HANDOFF_CHECK_DATA_BLOCK);
    assert_field_gives(sample, data_base, SAMPLE_DATA_BASE + 8, HANDOFF_CHECK_DATA_BLOCK);
    assert_field_gives(sample, data_base, SAMPLE_DATA_BASE + 0x1000, HANDOFF_CHECK_DATA_BLOCK);
    assert_field_gives(sample, data_base, ~PAGE_MASK, HANDOFF_CHECK_DATA_BLOCK);
    assert_field_gives(sample, data_size_bytes, 0, HANDOFF_CHECK_DATA_BLOCK);
    assert_field_gives(sample, data_size_bytes, SAMPLE_DATA_SIZE - 1, HANDOFF_CHECK_DATA_BLOCK);
    assert_field_gives(sample, data_size_bytes, ~PAGE_MASK, HANDOFF_CHECK_DATA_BLOCK);
}

static void test_texts_need_their_nul_inside_the_data(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, command_line.size_bytes, 3, HANDOFF_CHECK_COMMAND_LINE);
    assert_field_gives(sample, command_line.size_bytes, SAMPLE_DATA_SIZE - SAMPLE_COMMAND_OFFSET,
                       HANDOFF_CHECK_COMMAND_LINE);
    assert_field_gives(sample, command_line.size_bytes, UINT64_MAX, HANDOFF_CHECK_COMMAND_LINE);
    assert_field_gives(sample, log.size_bytes, SAMPLE_DATA_SIZE - SAMPLE_LOG_OFFSET,
                       HANDOFF_CHECK_LOG);
    assert_field_gives(sample, log.size_bytes, UINT64_MAX, HANDOFF_CHECK_LOG);
    assert_field_gives(sample, kernel_path.size_bytes, SAMPLE_DATA_SIZE, HANDOFF_CHECK_KERNEL_PATH);
    assert_field_gives(sample, kernel_path.size_bytes, UINT64_MAX, HANDOFF_CHECK_KERNEL_PATH);
    sample->data[SAMPLE_KERNEL_PATH_OFFSET] = 'x';
    handoff_expect_status(sample, HANDOFF_CHECK_KERNEL_PATH);
    sample->data[SAMPLE_LOG_OFFSET] = 'x';
    handoff_expect_status(sample, HANDOFF_CHECK_LOG);
}

static void test_timeline_needs_a_sane_stride_and_ended_names(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, timeline.stride_bytes, 0, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline.stride_bytes, 24, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline.stride_bytes, 36, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline.stride_bytes, 0xfffffff8, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline.count, UINT32_MAX, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline.count, 0, HANDOFF_CHECK_OK);
    struct handoff_moment *moment = (void *)(sample->data + SAMPLE_TIMELINE_OFFSET);
    memset(moment->name, 'x', sizeof(moment->name));
    handoff_expect_status(sample, HANDOFF_CHECK_TIMELINE);
}

static void test_efi_map_needs_a_sane_stride(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, efi_descriptor_size_bytes, 0, HANDOFF_CHECK_EFI_MAP);
    assert_field_gives(sample, efi_descriptor_size_bytes, 36, HANDOFF_CHECK_EFI_MAP);
    assert_field_gives(sample, efi_descriptor_size_bytes, 44, HANDOFF_CHECK_EFI_MAP);
    assert_field_gives(sample, efi_descriptor_size_bytes, 56, HANDOFF_CHECK_EFI_MAP);
    assert_field_gives(sample, efi_map_size_bytes, 0, HANDOFF_CHECK_EFI_MAP);
    assert_field_gives(sample, efi_map_size_bytes, 48 * 9 + 1, HANDOFF_CHECK_EFI_MAP);
    assert_field_gives(sample, efi_map_size_bytes, 48 * (UINT64_MAX / 48), HANDOFF_CHECK_EFI_MAP);
}

static void test_H16_handoff_inside_a_reclaimable_region_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint32_t types[] = {HANDOFF_REGION_USABLE,
                              HANDOFF_REGION_BOOT_SERVICES,
                              HANDOFF_REGION_LOADER,
                              HANDOFF_REGION_TEMP_HEAP,
                              HANDOFF_REGION_RESERVED,
                              0,
                              UINT32_MAX};
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        handoff_sample_retype(sample, 6, types[i]);
        handoff_expect_status(sample, HANDOFF_CHECK_DATA_REGION);
    }
}

/* The block of data contains memory that the machine does not have. It is refused without a read:
 * the sanitizer would find a read outside of the sample's memory. */
static void test_data_block_that_does_not_exist_is_not_read(void **state)
{
    struct handoff_sample *sample = *state;
    uint64_t end = SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE;
    sample->handoff->direct_map_size_bytes = UINT64_C(1) << 45;
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    sample->handoff->data_size_bytes = (UINT64_C(2) << 30) - SAMPLE_DATA_BASE;
    const uint64_t places[] = {end, end + 0x1000, UINT64_C(1) << 30, UINT64_C(0x7ffff000)};
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        sample->handoff->regions.first = places[i];
        handoff_expect_status(sample, HANDOFF_CHECK_DATA_NOT_MAPPED);
    }
}

static void test_other_arrays_must_lie_in_the_data(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t inside = SAMPLE_DATA_BASE + SAMPLE_TIMELINE_OFFSET;
    const struct handoff_array bad[] = {
        {SAMPLE_USABLE_BASE, 1, 128},
        {inside, 1, 8},
        {inside, 1, 129},
        {inside + 1, 1, 128},
        {inside, UINT32_MAX, 128},
        {UINT64_MAX - 7, 1, 128},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_field_gives(sample, temp_heaps, bad[i], HANDOFF_CHECK_ARRAYS);
        assert_field_gives(sample, modules, bad[i], HANDOFF_CHECK_ARRAYS);
        assert_field_gives(sample, framebuffers, bad[i], HANDOFF_CHECK_ARRAYS);
        assert_field_gives(sample, processors, bad[i], HANDOFF_CHECK_ARRAYS);
        assert_field_gives(sample, firmware_tables, bad[i], HANDOFF_CHECK_ARRAYS);
    }
    const struct handoff_array good = {inside, 2, 128};
    assert_field_gives(sample, processors, good, HANDOFF_CHECK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_H4_pointers_out_of_the_data_block_are_refused),
        HANDOFF_TEST(test_H4_data_block_must_hold_the_handoff),
        HANDOFF_TEST(test_texts_need_their_nul_inside_the_data),
        HANDOFF_TEST(test_timeline_needs_a_sane_stride_and_ended_names),
        HANDOFF_TEST(test_efi_map_needs_a_sane_stride),
        HANDOFF_TEST(test_H16_handoff_inside_a_reclaimable_region_is_refused),
        HANDOFF_TEST(test_data_block_that_does_not_exist_is_not_read),
        HANDOFF_TEST(test_other_arrays_must_lie_in_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
