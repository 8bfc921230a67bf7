/* Handoff check: catalogue group H, one field at a time turned bad in a handoff that is good. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/handoff_check.h"
#include "kernel/mm/early_heap.h"
#include "kernel/mm/layout.h"
#include "shared/address.h"
#include "tests/unit/support/handoff_sample.h"

static int set_up(void **state)
{
    struct handoff_sample *sample = malloc(sizeof(*sample));
    handoff_sample_create(sample);
    *state = sample;
    return 0;
}

static int tear_down(void **state)
{
    struct handoff_sample *sample = *state;
    handoff_sample_destroy(sample);
    free(sample);
    return 0;
}

/* Seal and check; a refusal must not write the view. */
static enum handoff_check_status check(struct handoff_sample *sample, struct handoff_view *ret_view)
{
    struct handoff_view untouched;
    memset(&untouched, 0xab, sizeof(untouched));
    memset(ret_view, 0xab, sizeof(*ret_view));
    handoff_sample_seal(sample);
    enum handoff_check_status status =
        handoff_check(sample->handoff, sample->direct_map_base, ret_view);
    if (status != HANDOFF_CHECK_OK)
        assert_memory_equal(ret_view, &untouched, sizeof(untouched));
    return status;
}

static void assert_status(struct handoff_sample *sample, enum handoff_check_status expected)
{
    struct handoff_view view;
    enum handoff_check_status status = check(sample, &view);
    if (status != expected)
        fail_msg("'%s' instead of '%s'", handoff_check_text(status), handoff_check_text(expected));
}

/* Set one field, expect a status, put the field back. */
#define assert_field_gives(sample, field, bad_value, expected)                                     \
    do {                                                                                           \
        __typeof__((sample)->handoff->field) good_value = (sample)->handoff->field;                \
        (sample)->handoff->field = (bad_value);                                                    \
        assert_status((sample), (expected));                                                       \
        (sample)->handoff->field = good_value;                                                     \
        assert_status((sample), HANDOFF_CHECK_OK);                                                 \
    } while (0)

static void test_good_handoff_is_accepted_and_viewed(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    assert_int_equal(check(sample, &view), HANDOFF_CHECK_OK);
    assert_ptr_equal(view.handoff, sample->handoff);
    assert_int_equal(view.regions.count, SAMPLE_REGION_COUNT);
    assert_int_equal(region_list_at(&view.regions, 4)->type, HANDOFF_REGION_STACK);
    assert_string_equal(view.command_line, "once");
    assert_string_equal(view.log, "");
    assert_ptr_equal(view.efi_map, sample->data + SAMPLE_EFI_MAP_OFFSET);
    assert_string_equal(handoff_view_moment(&view, 1)->name, "a name of 23 characters");
    assert_int_equal(view.framebuffer, HANDOFF_FRAMEBUFFER_OK);
    assert_int_equal(handoff_check_temp_heap(&view), HANDOFF_TEMP_HEAP_OK);
}

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
    assert_field_gives(sample, version_major, 2, HANDOFF_CHECK_MAJOR_VERSION);
    assert_field_gives(sample, version_major, 0xffff, HANDOFF_CHECK_MAJOR_VERSION);
}

static void test_H2_newer_minor_version_is_accepted(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, version_minor, 1, HANDOFF_CHECK_OK);
    assert_field_gives(sample, version_minor, 0xffff, HANDOFF_CHECK_OK);
}

static void test_H3_size_below_version_1_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    uint32_t sizes[] = {
        0, 1, 24, HANDOFF_SIZE_V1_BYTES - 1, HANDOFF_CHECK_SIZE_MAX_BYTES + 1, UINT32_MAX};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        sample->handoff->size_bytes = sizes[i];
        assert_int_equal(handoff_check(sample->handoff, sample->direct_map_base, &view),
                         HANDOFF_CHECK_SIZE);
    }
}

static void test_H3_tail_of_a_larger_structure_is_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, size_bytes, sizeof(struct handoff) + 104, HANDOFF_CHECK_OK);
    sample->handoff->size_bytes = sizeof(struct handoff) + 8;
    memset(sample->handoff + 1, 0xee, 8);
    assert_status(sample, HANDOFF_CHECK_OK);
    /* It is under the checksum all the same. */
    struct handoff_view view;
    *(unsigned char *)(sample->handoff + 1) = 0;
    assert_int_equal(handoff_check(sample->handoff, sample->direct_map_base, &view),
                     HANDOFF_CHECK_CHECKSUM);
}

static void test_H4_null_misaligned_and_non_canonical_pointers_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    uint64_t base = sample->direct_map_base;
    const uintptr_t non_canonical[] = {UINT64_C(0x0000800000000000), UINT64_C(0xffff7ffffffffff8),
                                       UINT64_C(0x8000000000000000), UINT64_C(0x00007ffffffff800),
                                       UINT64_C(0xfffffffffffff800)};
    assert_int_equal(handoff_check(NULL, base, &view), HANDOFF_CHECK_POINTER_NULL);
    for (unsigned offset = 1; offset < 8; offset++)
        assert_int_equal(handoff_check(sample->data + offset, base, &view),
                         HANDOFF_CHECK_POINTER_MISALIGNED);
    for (unsigned i = 0; i < sizeof(non_canonical) / sizeof(non_canonical[0]); i++)
        assert_int_equal(handoff_check((void *)non_canonical[i], base, &view),
                         HANDOFF_CHECK_POINTER_NON_CANONICAL);
}

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
        assert_field_gives(sample, regions, outside[i], HANDOFF_CHECK_REGIONS);
        assert_field_gives(sample, efi_map, outside[i], HANDOFF_CHECK_EFI_MAP);
        assert_field_gives(sample, timeline, outside[i], HANDOFF_CHECK_TIMELINE);
        if (outside[i] != SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 8)
            assert_field_gives(sample, log, outside[i], HANDOFF_CHECK_LOG);
        if (outside[i] != SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 8)
            assert_field_gives(sample, command_line, outside[i], HANDOFF_CHECK_COMMAND_LINE);
    }
    assert_field_gives(sample, regions, SAMPLE_DATA_BASE + SAMPLE_REGIONS_OFFSET + 4,
                       HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, efi_map, SAMPLE_DATA_BASE + SAMPLE_EFI_MAP_OFFSET + 1,
                       HANDOFF_CHECK_EFI_MAP);
    assert_field_gives(sample, timeline, SAMPLE_DATA_BASE + SAMPLE_TIMELINE_OFFSET + 2,
                       HANDOFF_CHECK_TIMELINE);
}

static void test_H4_direct_map_must_be_where_the_kernel_has_it(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, direct_map_base, sample->direct_map_base + 4096,
                       HANDOFF_CHECK_DIRECT_MAP);
    assert_field_gives(sample, direct_map_size_bytes, LAYOUT_DIRECT_MAP_LIMIT_BYTES + 4096,
                       HANDOFF_CHECK_DIRECT_MAP);
    assert_field_gives(sample, direct_map_size_bytes, SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 4096,
                       HANDOFF_CHECK_DATA_BLOCK);
    assert_field_gives(sample, direct_map_size_bytes,
                       SAMPLE_USABLE_BASE + SAMPLE_USABLE_SIZE - 4096,
                       HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP);
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
    assert_field_gives(sample, command_line_size_bytes, 3, HANDOFF_CHECK_COMMAND_LINE);
    assert_field_gives(sample, command_line_size_bytes, SAMPLE_DATA_SIZE - SAMPLE_COMMAND_OFFSET,
                       HANDOFF_CHECK_COMMAND_LINE);
    assert_field_gives(sample, command_line_size_bytes, UINT64_MAX, HANDOFF_CHECK_COMMAND_LINE);
    assert_field_gives(sample, log_size_bytes, SAMPLE_DATA_SIZE - SAMPLE_LOG_OFFSET,
                       HANDOFF_CHECK_LOG);
    assert_field_gives(sample, log_size_bytes, UINT64_MAX, HANDOFF_CHECK_LOG);
    sample->data[SAMPLE_LOG_OFFSET] = 'x';
    assert_status(sample, HANDOFF_CHECK_LOG);
}

static void test_timeline_needs_a_sane_stride_and_ended_names(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, timeline_stride_bytes, 0, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline_stride_bytes, 24, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline_stride_bytes, 36, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline_stride_bytes, 0xfffffff8, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline_count, UINT32_MAX, HANDOFF_CHECK_TIMELINE);
    assert_field_gives(sample, timeline_count, 0, HANDOFF_CHECK_OK);
    struct handoff_moment *moment = (void *)(sample->data + SAMPLE_TIMELINE_OFFSET);
    memset(moment->name, 'x', sizeof(moment->name));
    assert_status(sample, HANDOFF_CHECK_TIMELINE);
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

static void heap_gives(struct handoff_sample *sample, uint64_t base, uint64_t size_bytes,
                       enum handoff_temp_heap_status expected)
{
    struct handoff_view view;
    sample->handoff->temp_heap_base = base;
    sample->handoff->temp_heap_size = size_bytes;
    /* A heap that is not to be trusted is no reason to refuse the handoff. */
    assert_int_equal(check(sample, &view), HANDOFF_CHECK_OK);
    enum handoff_temp_heap_status status = handoff_check_temp_heap(&view);
    if (status != expected)
        fail_msg("'%s' instead of '%s'", handoff_temp_heap_text(status),
                 handoff_temp_heap_text(expected));
}

static void test_H5_exactly_one_heap_field_zero(void **state)
{
    heap_gives(*state, 0, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_ONE_FIELD_ZERO);
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE, 0, HANDOFF_TEMP_HEAP_ONE_FIELD_ZERO);
}

static void test_H6_both_heap_fields_zero(void **state)
{
    heap_gives(*state, 0, 0, HANDOFF_TEMP_HEAP_ABSENT);
}

static void test_H7_heap_base_unaligned(void **state)
{
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE + 1, SAMPLE_TEMP_HEAP_SIZE / 2,
               HANDOFF_TEMP_HEAP_UNALIGNED);
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE + 2048, SAMPLE_TEMP_HEAP_SIZE / 2,
               HANDOFF_TEMP_HEAP_UNALIGNED);
}

static void test_H8_heap_wraps(void **state)
{
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE, UINT64_MAX, HANDOFF_TEMP_HEAP_WRAPS);
    heap_gives(*state, ~PAGE_MASK, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_WRAPS);
    heap_gives(*state, ~PAGE_MASK, PAGE_SIZE_BYTES, HANDOFF_TEMP_HEAP_WRAPS);
}

static void test_H9_heap_below_the_minimum_size(void **state)
{
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE, 1, HANDOFF_TEMP_HEAP_TOO_SMALL);
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE, EARLY_HEAP_SIZE_MIN_BYTES - 1,
               HANDOFF_TEMP_HEAP_TOO_SMALL);
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE, EARLY_HEAP_SIZE_MIN_BYTES, HANDOFF_TEMP_HEAP_OK);
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE, EARLY_HEAP_SIZE_MAX_BYTES + 1,
               HANDOFF_TEMP_HEAP_TOO_LARGE);
}

static void test_H10_heap_not_wholly_loader_data(void **state)
{
    struct handoff_sample *sample = *state;
    enum handoff_temp_heap_status expected = HANDOFF_TEMP_HEAP_NOT_LOADER_DATA;
    heap_gives(sample, SAMPLE_USABLE_BASE, SAMPLE_TEMP_HEAP_SIZE, expected); /* usable */
    heap_gives(sample, SAMPLE_TEMP_HEAP_BASE - 0x1000, SAMPLE_TEMP_HEAP_SIZE,
               expected);                                                        /* a hole before */
    heap_gives(sample, UINT64_C(0x4000000000), SAMPLE_TEMP_HEAP_SIZE, expected); /* nowhere */
    handoff_sample_region(sample, 2)->efi_type = 1;                              /* LoaderCode */
    heap_gives(sample, SAMPLE_TEMP_HEAP_BASE, SAMPLE_TEMP_HEAP_SIZE, expected);
    heap_gives(sample, SAMPLE_TEMP_HEAP_BASE, 0x80000, HANDOFF_TEMP_HEAP_OK);
    handoff_sample_write_regions(sample);
    handoff_sample_region(sample, 2)->type = HANDOFF_REGION_LOADER;
    heap_gives(sample, SAMPLE_TEMP_HEAP_BASE, SAMPLE_TEMP_HEAP_SIZE, expected);
    handoff_sample_write_regions(sample);
    handoff_sample_region(sample, 1)->size_bytes -= 0x1000; /* a hole inside */
    heap_gives(sample, SAMPLE_TEMP_HEAP_BASE, SAMPLE_TEMP_HEAP_SIZE, expected);
}

static void test_H11_heap_overlaps_something(void **state)
{
    const struct range others[] = {
        {SAMPLE_KERNEL_BASE, SAMPLE_KERNEL_BASE + SAMPLE_KERNEL_SIZE},
        {SAMPLE_STACK_BASE, SAMPLE_STACK_BASE + SAMPLE_STACK_SIZE},
        {SAMPLE_TABLES_BASE, SAMPLE_TABLES_BASE + SAMPLE_TABLES_SIZE},
        {SAMPLE_DATA_BASE,
         SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE}, /* handoff, regions and map are all in it */
        {SAMPLE_FRAMEBUFFER_BASE, SAMPLE_FRAMEBUFFER_BASE + SAMPLE_FRAMEBUFFER_SIZE},
    };
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        heap_gives(*state, others[i].start, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_OVERLAPS);
        heap_gives(*state, others[i].end - 0x1000, SAMPLE_TEMP_HEAP_SIZE,
                   HANDOFF_TEMP_HEAP_OVERLAPS);
        heap_gives(*state, others[i].start + 0x1000 - SAMPLE_TEMP_HEAP_SIZE, SAMPLE_TEMP_HEAP_SIZE,
                   HANDOFF_TEMP_HEAP_OVERLAPS);
    }
    heap_gives(*state, SAMPLE_TEMP_HEAP_BASE, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_OK);
}

static void test_H12_heap_includes_frame_zero(void **state)
{
    heap_gives(*state, 1, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_FRAME_ZERO);
    heap_gives(*state, 4095, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_FRAME_ZERO);
}

static void test_H13_any_flipped_bit_of_the_structure_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    unsigned char *bytes = (void *)sample->handoff;
    for (size_t i = 0; i < sizeof(struct handoff); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1U << bit);
            assert_int_not_equal(handoff_check(sample->handoff, sample->direct_map_base, &view),
                                 HANDOFF_CHECK_OK);
            bytes[i] ^= (unsigned char)(1U << bit);
        }
    }
    sample->handoff->checksum++;
    assert_int_equal(handoff_check(sample->handoff, sample->direct_map_base, &view),
                     HANDOFF_CHECK_CHECKSUM);
}

static void test_H14_region_count_or_stride_zero_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, region_count, 0, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, region_count, UINT32_MAX, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, region_stride_bytes, 0, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, region_stride_bytes, 24, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, region_stride_bytes, 33, HANDOFF_CHECK_REGIONS);
    assert_field_gives(sample, region_stride_bytes, 0xfffffff8, HANDOFF_CHECK_REGIONS);
}

static void test_H15_reserved_fields_are_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, reserved, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, flags, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, framebuffer.reserved_mask, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, efi_descriptor_version, UINT32_MAX, HANDOFF_CHECK_OK);
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
        handoff_sample_region(sample, 6)->type = types[i];
        assert_status(sample, HANDOFF_CHECK_DATA_REGION);
    }
}

static void test_what_the_loader_placed_must_lie_in_regions_of_its_type(void **state)
{
    struct handoff_sample *sample = *state;
    handoff_sample_region(sample, 3)->type = HANDOFF_REGION_USABLE;
    assert_status(sample, HANDOFF_CHECK_KERNEL_IMAGE);
    handoff_sample_write_regions(sample);
    handoff_sample_region(sample, 4)->size_bytes -= 0x1000;
    assert_status(sample, HANDOFF_CHECK_STACK);
    handoff_sample_write_regions(sample);
    handoff_sample_region(sample, 5)->base += 0x1000;
    handoff_sample_region(sample, 5)->size_bytes -= 0x1000;
    assert_status(sample, HANDOFF_CHECK_PAGE_TABLES);
    handoff_sample_write_regions(sample);

    assert_field_gives(sample, kernel_physical_base, SAMPLE_KERNEL_BASE + 1,
                       HANDOFF_CHECK_KERNEL_IMAGE);
    assert_field_gives(sample, kernel_physical_base, ~PAGE_MASK, HANDOFF_CHECK_KERNEL_IMAGE);
    assert_field_gives(sample, kernel_size_bytes, 0, HANDOFF_CHECK_KERNEL_IMAGE);
    assert_field_gives(sample, kernel_size_bytes, ~PAGE_MASK, HANDOFF_CHECK_KERNEL_IMAGE);
    sample->handoff->kernel_entry = UINT64_C(0x0000900000000040);
    sample->handoff->kernel_virtual_base = UINT64_C(0x0000900000000000);
    assert_status(sample, HANDOFF_CHECK_KERNEL_IMAGE);
    sample->handoff->kernel_virtual_base = LAYOUT_KERNEL_IMAGE_BASE;
    sample->handoff->kernel_entry = LAYOUT_KERNEL_IMAGE_BASE;
    assert_status(sample, HANDOFF_CHECK_OK);
    assert_field_gives(sample, kernel_entry, LAYOUT_KERNEL_IMAGE_BASE + SAMPLE_KERNEL_SIZE,
                       HANDOFF_CHECK_KERNEL_IMAGE);
    assert_field_gives(sample, kernel_entry, 0, HANDOFF_CHECK_KERNEL_IMAGE);
    assert_field_gives(sample, stack_virtual_base, UINT64_C(0x0000900000000000),
                       HANDOFF_CHECK_STACK);
    assert_field_gives(sample, stack_physical_base, 0, HANDOFF_CHECK_STACK);
    assert_field_gives(sample, stack_virtual_base, 1, HANDOFF_CHECK_STACK);
    assert_field_gives(sample, stack_size_bytes, UINT64_MAX, HANDOFF_CHECK_STACK);
    assert_field_gives(sample, page_table_root, SAMPLE_TABLES_BASE - 0x1000,
                       HANDOFF_CHECK_PAGE_TABLES);
    assert_field_gives(sample, page_table_root, SAMPLE_TABLES_BASE + SAMPLE_TABLES_SIZE,
                       HANDOFF_CHECK_PAGE_TABLES);
    assert_field_gives(sample, page_tables_size_bytes, 0, HANDOFF_CHECK_PAGE_TABLES);
    assert_field_gives(sample, loader_base, SAMPLE_USABLE_BASE, HANDOFF_CHECK_LOADER);
    assert_field_gives(sample, loader_base, SAMPLE_LOADER_BASE + 1, HANDOFF_CHECK_LOADER);
    assert_field_gives(sample, loader_size_bytes, 0, HANDOFF_CHECK_LOADER);
    assert_field_gives(sample, loader_size_bytes, SAMPLE_LOADER_SIZE + 4096, HANDOFF_CHECK_LOADER);
    assert_field_gives(sample, loader_size_bytes, UINT64_MAX, HANDOFF_CHECK_LOADER);
}

static void test_regions_that_are_not_normalised_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const struct handoff_region bad[] = {
        {SAMPLE_DATA_BASE + 0x1000, SAMPLE_USABLE_SIZE, HANDOFF_REGION_USABLE, 7,
         0xf},                                                                 /* overlaps */
        {0x10000, 0x1000, HANDOFF_REGION_USABLE, 7, 0xf},                      /* unsorted */
        {SAMPLE_USABLE_BASE, 0, HANDOFF_REGION_USABLE, 7, 0xf},                /* empty */
        {SAMPLE_USABLE_BASE + 1, 0x1000, HANDOFF_REGION_USABLE, 7, 0xf},       /* unaligned */
        {SAMPLE_USABLE_BASE, 0x1001, HANDOFF_REGION_USABLE, 7, 0xf},           /* unaligned end */
        {SAMPLE_USABLE_BASE, ~PAGE_MASK, HANDOFF_REGION_MMIO, 11, 0xf},        /* wraps */
        {SAMPLE_USABLE_BASE, UINT64_C(1) << 52, HANDOFF_REGION_MMIO, 11, 0xf}, /* above 52 bits */
        {SAMPLE_USABLE_BASE, SAMPLE_FRAMEBUFFER_BASE, HANDOFF_REGION_MMIO, 11,
         0xf}, /* into the next */
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        *handoff_sample_region(sample, 7) = bad[i];
        assert_status(sample, HANDOFF_CHECK_REGIONS_NOT_NORMALISED);
    }
    handoff_sample_write_regions(sample);
    assert_status(sample, HANDOFF_CHECK_OK);
}

/* A bad framebuffer is only a warning. */
static void framebuffer_gives(struct handoff_sample *sample,
                              enum handoff_framebuffer_status expected)
{
    struct handoff_view view;
    assert_int_equal(check(sample, &view), HANDOFF_CHECK_OK);
    if (view.framebuffer != expected)
        fail_msg("'%s' instead of '%s'", handoff_framebuffer_text(view.framebuffer),
                 handoff_framebuffer_text(expected));
}

#define assert_framebuffer_field_gives(sample, field, bad_value, expected)                         \
    do {                                                                                           \
        struct handoff_framebuffer good = (sample)->handoff->framebuffer;                          \
        (sample)->handoff->framebuffer.field = (bad_value);                                        \
        framebuffer_gives((sample), (expected));                                                   \
        (sample)->handoff->framebuffer = good;                                                     \
    } while (0)

static void test_FW15_bad_framebuffer_is_ignored_with_a_reason(void **state)
{
    struct handoff_sample *sample = *state;
    enum handoff_framebuffer_status format = HANDOFF_FRAMEBUFFER_FORMAT;
    enum handoff_framebuffer_status geometry = HANDOFF_FRAMEBUFFER_GEOMETRY;
    enum handoff_framebuffer_status place = HANDOFF_FRAMEBUFFER_PLACE;
    assert_framebuffer_field_gives(sample, pixel_format, 0, HANDOFF_FRAMEBUFFER_ABSENT);
    assert_framebuffer_field_gives(sample, pixel_format, 4, format);
    assert_framebuffer_field_gives(sample, bits_per_pixel, 24, format);
    assert_framebuffer_field_gives(sample, width_pixels, 0, geometry);
    assert_framebuffer_field_gives(sample, height_pixels, 0, geometry);
    assert_framebuffer_field_gives(sample, width_pixels, 801, geometry);
    assert_framebuffer_field_gives(sample, pitch_bytes, 3199, geometry);
    assert_framebuffer_field_gives(sample, pitch_bytes, UINT32_MAX, geometry);
    assert_framebuffer_field_gives(sample, height_pixels, UINT32_MAX, geometry);
    assert_framebuffer_field_gives(sample, size_bytes, 3200 * 599, geometry);
    assert_framebuffer_field_gives(sample, base, 0, place);
    assert_framebuffer_field_gives(sample, base, SAMPLE_FRAMEBUFFER_BASE + 4, place);
    assert_framebuffer_field_gives(sample, base, SAMPLE_USABLE_BASE, place);
    assert_framebuffer_field_gives(sample, base, ~PAGE_MASK, place);
    assert_framebuffer_field_gives(sample, size_bytes, SAMPLE_FRAMEBUFFER_SIZE + 4096, place);
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_OK);
}

static void test_framebuffer_masks_must_fit_and_not_overlap(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_framebuffer *framebuffer = &sample->handoff->framebuffer;
    framebuffer->pixel_format = HANDOFF_PIXEL_FORMAT_MASKS;
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_FORMAT); /* all masks 0 */
    framebuffer->bits_per_pixel = 16;
    framebuffer->red_mask = 0xf800;
    framebuffer->green_mask = 0x07e0;
    framebuffer->blue_mask = 0x001f;
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_OK);
    assert_framebuffer_field_gives(sample, red_mask, 0x1f800, HANDOFF_FRAMEBUFFER_FORMAT);
    assert_framebuffer_field_gives(sample, blue_mask, 0x003f, HANDOFF_FRAMEBUFFER_FORMAT);
    assert_framebuffer_field_gives(sample, green_mask, 0, HANDOFF_FRAMEBUFFER_FORMAT);
    assert_framebuffer_field_gives(sample, bits_per_pixel, 15, HANDOFF_FRAMEBUFFER_FORMAT);
    assert_framebuffer_field_gives(sample, bits_per_pixel, 64, HANDOFF_FRAMEBUFFER_FORMAT);
}

static void test_framebuffer_beyond_the_direct_map_window_is_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    handoff_sample_region(sample, 9)->base = LAYOUT_DIRECT_MAP_LIMIT_BYTES;
    sample->handoff->framebuffer.base = LAYOUT_DIRECT_MAP_LIMIT_BYTES;
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_PLACE);
}

static void test_every_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = HANDOFF_CHECK_OK; a <= HANDOFF_CHECK_LOADER; a++) {
        for (int b = HANDOFF_CHECK_OK; b < a; b++)
            assert_string_not_equal(handoff_check_text((enum handoff_check_status)a),
                                    handoff_check_text((enum handoff_check_status)b));
    }
    for (int a = HANDOFF_TEMP_HEAP_OK; a <= HANDOFF_TEMP_HEAP_NOT_LOADER_DATA; a++) {
        for (int b = HANDOFF_TEMP_HEAP_OK; b < a; b++)
            assert_string_not_equal(handoff_temp_heap_text((enum handoff_temp_heap_status)a),
                                    handoff_temp_heap_text((enum handoff_temp_heap_status)b));
    }
    for (int a = HANDOFF_FRAMEBUFFER_OK; a <= HANDOFF_FRAMEBUFFER_PLACE; a++) {
        for (int b = HANDOFF_FRAMEBUFFER_OK; b < a; b++)
            assert_string_not_equal(handoff_framebuffer_text((enum handoff_framebuffer_status)a),
                                    handoff_framebuffer_text((enum handoff_framebuffer_status)b));
    }
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_good_handoff_is_accepted_and_viewed),
        FIXTURE_TEST(test_H1_bad_magic_is_refused),
        FIXTURE_TEST(test_H2_other_major_version_is_refused),
        FIXTURE_TEST(test_H2_newer_minor_version_is_accepted),
        FIXTURE_TEST(test_H3_size_below_version_1_is_refused),
        FIXTURE_TEST(test_H3_tail_of_a_larger_structure_is_ignored),
        FIXTURE_TEST(test_H4_null_misaligned_and_non_canonical_pointers_are_refused),
        FIXTURE_TEST(test_H4_pointers_out_of_the_data_block_are_refused),
        FIXTURE_TEST(test_H4_direct_map_must_be_where_the_kernel_has_it),
        FIXTURE_TEST(test_H4_data_block_must_hold_the_handoff),
        FIXTURE_TEST(test_texts_need_their_nul_inside_the_data),
        FIXTURE_TEST(test_timeline_needs_a_sane_stride_and_ended_names),
        FIXTURE_TEST(test_efi_map_needs_a_sane_stride),
        FIXTURE_TEST(test_H5_exactly_one_heap_field_zero),
        FIXTURE_TEST(test_H6_both_heap_fields_zero),
        FIXTURE_TEST(test_H7_heap_base_unaligned),
        FIXTURE_TEST(test_H8_heap_wraps),
        FIXTURE_TEST(test_H9_heap_below_the_minimum_size),
        FIXTURE_TEST(test_H10_heap_not_wholly_loader_data),
        FIXTURE_TEST(test_H11_heap_overlaps_something),
        FIXTURE_TEST(test_H12_heap_includes_frame_zero),
        FIXTURE_TEST(test_H13_any_flipped_bit_of_the_structure_is_refused),
        FIXTURE_TEST(test_H14_region_count_or_stride_zero_is_refused),
        FIXTURE_TEST(test_H15_reserved_fields_are_ignored),
        FIXTURE_TEST(test_H16_handoff_inside_a_reclaimable_region_is_refused),
        FIXTURE_TEST(test_what_the_loader_placed_must_lie_in_regions_of_its_type),
        FIXTURE_TEST(test_regions_that_are_not_normalised_are_refused),
        FIXTURE_TEST(test_FW15_bad_framebuffer_is_ignored_with_a_reason),
        FIXTURE_TEST(test_framebuffer_masks_must_fit_and_not_overlap),
        FIXTURE_TEST(test_framebuffer_beyond_the_direct_map_window_is_ignored),
        FIXTURE_TEST(test_every_reason_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
