/* The structure itself: the pointer to it, and its first fields. Catalogue group H. */
#include <string.h>

#include "kernel/handoff/handoff_mismatch.h"
#include "kernel/mm/layout.h"
#include "shared/address.h"
#include "shared/handoff_checksum.h"
#include "tests/unit/support/handoff_expect.h"

static void test_H1_bad_magic_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, magic, 0, HANDOFF_CHECK_MAGIC);
    for (unsigned bit = 0; bit < 64; bit++)
        assert_field_gives(sample, magic, HANDOFF_MAGIC ^ UINT64_C(1) << bit, HANDOFF_CHECK_MAGIC);
}

static void test_H2_other_major_version_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, version_major, 0, HANDOFF_CHECK_MAJOR_VERSION);
    assert_field_gives(sample, version_major, 1, HANDOFF_CHECK_MAJOR_VERSION);
    assert_field_gives(sample, version_major, 0xffff, HANDOFF_CHECK_MAJOR_VERSION);
}

static void put(struct handoff_sample *sample, size_t offset, uint64_t number, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        sample->data[offset + i] = (uint8_t)(number >> (8 * i));
}

/* The structure that a loader of handoff 1.0 writes on the sample's machine, by the document of
 * 1.0: 408 bytes. The fields behind those of the log are 0. */
static void write_version_1(struct handoff_sample *sample)
{
    static const struct {
        size_t offset;
        uint64_t number;
    } FIELDS[] = {
        {56, LAYOUT_DIRECT_MAP_BASE},
        {64, SAMPLE_LOADER_BASE + SAMPLE_LOADER_SIZE},
        {72, SAMPLE_TABLES_BASE}, /* page_table_root */
        {80, SAMPLE_TABLES_BASE},
        {88, SAMPLE_TABLES_SIZE},
        {96, SAMPLE_TEMP_HEAP_BASE},
        {104, SAMPLE_TEMP_HEAP_SIZE},
        {112, SAMPLE_KERNEL_BASE},
        {120, LAYOUT_KERNEL_IMAGE_BASE},
        {128, SAMPLE_KERNEL_SIZE},
        {136, SAMPLE_ENTRY},
        {144, SAMPLE_STACK_BASE},
        {152, SAMPLE_STACK_VIRTUAL},
        {160, SAMPLE_STACK_SIZE},
        {168, SAMPLE_DATA_BASE},
        {176, SAMPLE_DATA_SIZE},
        {184, SAMPLE_LOADER_BASE},
        {192, SAMPLE_LOADER_SIZE},
        {200, SAMPLE_DATA_BASE + SAMPLE_REGIONS_OFFSET},
        {208, UINT64_C(32) << 32 | 1}, /* region_count, region_stride_bytes */
        {216, SAMPLE_DATA_BASE + SAMPLE_EFI_MAP_OFFSET},
        {224, 48},
        {232, UINT64_C(1) << 32 | 48}, /* the descriptor's size and version */
        {240, SAMPLE_DATA_BASE + SAMPLE_COMMAND_OFFSET},
        {248, 4},
        {256, SAMPLE_DATA_BASE + SAMPLE_LOG_OFFSET},
    };
    memset(sample->data, 0, sizeof(struct handoff));
    put(sample, 0, UINT64_C(0x0046464f444e4148), 8);
    put(sample, 8, 1, 2);
    put(sample, 12, 408, 4);
    put(sample, 20, 7, 4); /* flags */
    memcpy(sample->data + 24, "handoff-loader 0.9", 19);
    for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
        put(sample, FIELDS[i].offset, FIELDS[i].number, 8);
    put(sample, 16, handoff_checksum(sample->data, 408), 4);
}

/* The other direction is tests/qemu/small_kernels/version_1.c. */
static void test_H2_handoff_of_version_1_is_refused_by_name(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    struct handoff_framebuffer screen;
    struct handoff_mismatch mismatch;
    write_version_1(sample);
    enum handoff_check_status status = handoff_expect_run(sample, &view);
    assert_int_equal(status, HANDOFF_CHECK_MAJOR_VERSION);
    assert_non_null(strstr(handoff_check_status_text(status), "major version is not 2"));
    assert_true(handoff_mismatch_find(sample->address, &sample->state, status, &mismatch));
    assert_int_equal(mismatch.handed_over, 1);
    assert_int_equal(mismatch.known, 2);
    assert_false(handoff_check_screen(sample->address, &sample->state, &screen));

    /* Its size is wrong, too. */
    put(sample, 8, 2, 2);
    assert_int_equal(handoff_expect_run(sample, &view), HANDOFF_CHECK_SIZE);
}

static void test_H2_newer_minor_version_is_accepted(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, version_minor, 1, HANDOFF_CHECK_OK);
    assert_field_gives(sample, version_minor, 0xffff, HANDOFF_CHECK_OK);
}

static void test_H3_size_below_version_2_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    uint32_t sizes[] = {
        0, 1, 24, HANDOFF_SIZE_V2_BYTES - 1, HANDOFF_CHECK_SIZE_MAX_BYTES + 1, UINT32_MAX};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        sample->handoff->size_bytes = sizes[i];
        assert_int_equal(handoff_expect_run(sample, &view), HANDOFF_CHECK_SIZE);
    }
}

static void test_H3_tail_of_a_larger_structure_is_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, size_bytes, sizeof(struct handoff) + 104, HANDOFF_CHECK_OK);
    sample->handoff->size_bytes = sizeof(struct handoff) + 8;
    memset(sample->handoff + 1, 0xee, 8);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    /* The checksum still covers it. */
    struct handoff_view view;
    *(unsigned char *)(sample->handoff + 1) = 0;
    assert_int_equal(handoff_expect_run(sample, &view), HANDOFF_CHECK_CHECKSUM);
}

static void pointer_gives(const struct handoff_sample *sample, uint64_t address,
                          enum handoff_check_status expected)
{
    struct handoff_view view;
    enum handoff_check_status status = handoff_check(virt_addr(address), &sample->state, &view);
    if (status != expected)
        fail_msg("0x%llx: '%s' instead of '%s'", (unsigned long long)address,
                 handoff_check_status_text(status), handoff_check_status_text(expected));
}

static void test_H4_null_misaligned_and_non_canonical_pointers_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t non_canonical[] = {UINT64_C(0x0000800000000000), UINT64_C(0xffff7ffffffff000),
                                      UINT64_C(0x8000000000000000)};
    pointer_gives(sample, 0, HANDOFF_CHECK_POINTER_NULL);
    for (uint64_t offset = 1; offset < PAGE_SIZE_BYTES; offset += offset < 16 ? 1 : 8)
        pointer_gives(sample, sample->address.value + offset, HANDOFF_CHECK_POINTER_MISALIGNED);
    for (unsigned i = 0; i < sizeof(non_canonical) / sizeof(non_canonical[0]); i++)
        pointer_gives(sample, non_canonical[i], HANDOFF_CHECK_POINTER_NON_CANONICAL);
}

/* The pointer is not followed, whatever its value is: on the host nothing is mapped there. */
static void test_H4_pointer_outside_of_the_direct_map_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t outside[] = {
        SAMPLE_DATA_BASE,
        UINT64_C(0x00007ffffffff000),
        LAYOUT_DIRECT_MAP_BASE + LAYOUT_DIRECT_MAP_LIMIT_BYTES,
        LAYOUT_KERNEL_IMAGE_BASE,
        SAMPLE_STACK_VIRTUAL,
        ~PAGE_MASK,
    };
    for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        pointer_gives(sample, outside[i], HANDOFF_CHECK_POINTER_OUTSIDE);
}

static void test_handoff_under_five_levels_is_accepted(void **state)
{
    (void)state;
    struct handoff_sample sample;
    handoff_sample_create_with_levels(&sample, 5);
    handoff_expect_status(&sample, HANDOFF_CHECK_OK);
    /* With four levels these addresses do not exist. */
    sample.state.features.levels = 4;
    handoff_expect_status(&sample, HANDOFF_CHECK_POINTER_NON_CANONICAL);
    handoff_sample_destroy(&sample);
}

static void test_H13_any_flipped_bit_of_the_structure_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    unsigned char *bytes = (void *)sample->handoff;
    for (size_t i = 0; i < sizeof(struct handoff); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1U << bit);
            assert_int_not_equal(handoff_expect_run(sample, &view), HANDOFF_CHECK_OK);
            bytes[i] ^= (unsigned char)(1U << bit);
        }
    }
    sample->handoff->checksum++;
    assert_int_equal(handoff_expect_run(sample, &view), HANDOFF_CHECK_CHECKSUM);
}

static void test_H15_reserved_fields_are_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, reserved[0], UINT64_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, reserved[8], UINT64_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, integrity_flags, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, reserved_2, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, reserved_0, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, reserved_1, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, arch.x86_64.reserved[11], UINT64_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, arch.x86_64.flags, sample->handoff->arch.x86_64.flags | ~UINT32_C(7),
                       HANDOFF_CHECK_OK);
    handoff_sample_framebuffer(sample)->reserved_mask = UINT32_MAX;
    handoff_sample_region(sample, 0)->reserved = UINT64_MAX;
    handoff_sample_region(sample, 0)->facts |= UINT32_C(1) << 31;
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
}

static void test_loader_name_needs_an_end(void **state)
{
    struct handoff_sample *sample = *state;
    memset(sample->handoff->loader_name, 'x', sizeof(sample->handoff->loader_name));
    handoff_expect_status(sample, HANDOFF_CHECK_LOADER_NAME);
    sample->handoff->loader_name[31] = '\0';
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
}

static void test_another_machine_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, machine, HANDOFF_MACHINE_AARCH64, HANDOFF_CHECK_MACHINE);
    assert_field_gives(sample, machine, 0, HANDOFF_CHECK_MACHINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_H1_bad_magic_is_refused),
        HANDOFF_TEST(test_H2_other_major_version_is_refused),
        HANDOFF_TEST(test_H2_handoff_of_version_1_is_refused_by_name),
        HANDOFF_TEST(test_H2_newer_minor_version_is_accepted),
        HANDOFF_TEST(test_H3_size_below_version_2_is_refused),
        HANDOFF_TEST(test_H3_tail_of_a_larger_structure_is_ignored),
        HANDOFF_TEST(test_H4_null_misaligned_and_non_canonical_pointers_are_refused),
        HANDOFF_TEST(test_H4_pointer_outside_of_the_direct_map_is_refused),
        HANDOFF_TEST(test_handoff_under_five_levels_is_accepted),
        HANDOFF_TEST(test_H13_any_flipped_bit_of_the_structure_is_refused),
        HANDOFF_TEST(test_H15_reserved_fields_are_ignored),
        HANDOFF_TEST(test_loader_name_needs_an_end),
        HANDOFF_TEST(test_another_machine_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
