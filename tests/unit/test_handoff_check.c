/* Handoff check: catalogue group H, one field at a time turned bad in a handoff that is good. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/handoff/handoff_check.h"
#include "kernel/mm/early_heap.h"
#include "kernel/mm/layout.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/handoff_checksum.h"
#include "shared/region.h"
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

static enum handoff_check_status run(const struct handoff_sample *sample,
                                     struct handoff_view *ret_view)
{
    return handoff_check(sample->address, &sample->state, ret_view);
}

/* Seal and check; a refusal must not write the view. */
static enum handoff_check_status check(struct handoff_sample *sample, struct handoff_view *ret_view)
{
    struct handoff_view untouched;
    memset(&untouched, 0xab, sizeof(untouched));
    memset(ret_view, 0xab, sizeof(*ret_view));
    handoff_sample_seal(sample);
    enum handoff_check_status status = run(sample, ret_view);
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

/* The same for what the kernel knows by itself. */
#define assert_state_gives(sample, field, bad_value, expected)                                     \
    do {                                                                                           \
        __typeof__((sample)->state.field) good_value = (sample)->state.field;                      \
        (sample)->state.field = (bad_value);                                                       \
        assert_status((sample), (expected));                                                       \
        (sample)->state.field = good_value;                                                        \
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
    assert_int_equal(view.framebuffer_status, HANDOFF_FRAMEBUFFER_OK);
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
    assert_field_gives(sample, version_major, 1, HANDOFF_CHECK_MAJOR_VERSION);
    assert_field_gives(sample, version_major, 0xffff, HANDOFF_CHECK_MAJOR_VERSION);
}

static void put(struct handoff_sample *sample, size_t offset, uint64_t number, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        sample->data[offset + i] = (uint8_t)(number >> (8 * i));
}

/* What a loader of handoff 1.0 writes on the sample's machine, by 1.0's document: 408 bytes. The
 * fields behind the log's are 0. */
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
    uint64_t handed_over = 0;
    uint64_t known = 0;
    write_version_1(sample);
    enum handoff_check_status status = run(sample, &view);
    assert_int_equal(status, HANDOFF_CHECK_MAJOR_VERSION);
    assert_non_null(strstr(handoff_check_text(status), "major version than 2"));
    assert_true(
        handoff_check_numbers(sample->address, &sample->state, status, &handed_over, &known));
    assert_int_equal(handed_over, 1);
    assert_int_equal(known, 2);
    assert_false(handoff_check_screen(sample->address, &sample->state, &screen));

    /* Its size would betray it, too. */
    put(sample, 8, 2, 2);
    assert_int_equal(run(sample, &view), HANDOFF_CHECK_SIZE);
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
        assert_int_equal(run(sample, &view), HANDOFF_CHECK_SIZE);
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
    assert_int_equal(run(sample, &view), HANDOFF_CHECK_CHECKSUM);
}

static void pointer_gives(const struct handoff_sample *sample, uint64_t address,
                          enum handoff_check_status expected)
{
    struct handoff_view view;
    enum handoff_check_status status = handoff_check(address, &sample->state, &view);
    if (status != expected)
        fail_msg("0x%llx: '%s' instead of '%s'", (unsigned long long)address,
                 handoff_check_text(status), handoff_check_text(expected));
}

static void test_H4_null_misaligned_and_non_canonical_pointers_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t non_canonical[] = {UINT64_C(0x0000800000000000), UINT64_C(0xffff7ffffffff000),
                                      UINT64_C(0x8000000000000000)};
    pointer_gives(sample, 0, HANDOFF_CHECK_POINTER_NULL);
    for (uint64_t offset = 1; offset < PAGE_SIZE_BYTES; offset += offset < 16 ? 1 : 8)
        pointer_gives(sample, sample->address + offset, HANDOFF_CHECK_POINTER_MISALIGNED);
    for (unsigned i = 0; i < sizeof(non_canonical) / sizeof(non_canonical[0]); i++)
        pointer_gives(sample, non_canonical[i], HANDOFF_CHECK_POINTER_NON_CANONICAL);
}

/* It is not followed, wherever it points: nothing is mapped there on the host. */
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
    assert_status(&sample, HANDOFF_CHECK_OK);
    /* Four levels do not know these addresses. */
    sample.state.features.levels = 4;
    assert_status(&sample, HANDOFF_CHECK_POINTER_NON_CANONICAL);
    handoff_sample_destroy(&sample);
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

static void test_H4_direct_map_must_be_where_the_kernel_has_it(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, direct_map_base, LAYOUT_DIRECT_MAP_BASE + 4096,
                       HANDOFF_CHECK_DIRECT_MAP);
    assert_field_gives(sample, direct_map_base, DIRECT_MAP_BASE_5_LEVELS, HANDOFF_CHECK_DIRECT_MAP);
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
    assert_status(sample, HANDOFF_CHECK_KERNEL_PATH);
    sample->data[SAMPLE_LOG_OFFSET] = 'x';
    assert_status(sample, HANDOFF_CHECK_LOG);
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
    *handoff_sample_temp_heap(sample) = (struct handoff_temp_heap){base, size_bytes};
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
    handoff_sample_retype(sample, 2, HANDOFF_REGION_LOADER);
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

/* A kernel that reads the array must see the heap that the fields name. */
static void test_H5_heap_is_not_the_first_of_the_array(void **state)
{
    struct handoff_sample *sample = *state;
    const struct handoff_temp_heap others[] = {
        {SAMPLE_TEMP_HEAP_BASE + 0x1000, SAMPLE_TEMP_HEAP_SIZE},
        {SAMPLE_TEMP_HEAP_BASE, SAMPLE_TEMP_HEAP_SIZE - 0x1000},
        {0, 0},
    };
    struct handoff_view view;
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        *handoff_sample_temp_heap(sample) = others[i];
        assert_int_equal(check(sample, &view), HANDOFF_CHECK_OK);
        assert_int_equal(handoff_check_temp_heap(&view), HANDOFF_TEMP_HEAP_NOT_THE_FIRST);
    }
    heap_gives(sample, SAMPLE_TEMP_HEAP_BASE, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_OK);
    sample->handoff->temp_heaps = (struct handoff_array){0, 0, 0};
    assert_int_equal(check(sample, &view), HANDOFF_CHECK_OK);
    assert_int_equal(handoff_check_temp_heap(&view), HANDOFF_TEMP_HEAP_NOT_THE_FIRST);
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
            assert_int_not_equal(run(sample, &view), HANDOFF_CHECK_OK);
            bytes[i] ^= (unsigned char)(1U << bit);
        }
    }
    sample->handoff->checksum++;
    assert_int_equal(run(sample, &view), HANDOFF_CHECK_CHECKSUM);
}

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

static void test_H15_reserved_fields_are_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, reserved[0], UINT64_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, reserved[15], UINT64_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, reserved_0, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, reserved_1, UINT32_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, arch.x86_64.reserved[12], UINT64_MAX, HANDOFF_CHECK_OK);
    assert_field_gives(sample, arch.x86_64.flags, sample->handoff->arch.x86_64.flags | ~UINT32_C(7),
                       HANDOFF_CHECK_OK);
    handoff_sample_framebuffer(sample)->reserved_mask = UINT32_MAX;
    handoff_sample_region(sample, 0)->reserved = UINT64_MAX;
    handoff_sample_region(sample, 0)->facts |= UINT32_C(1) << 31;
    assert_status(sample, HANDOFF_CHECK_OK);
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
        assert_status(sample, HANDOFF_CHECK_DATA_REGION);
    }
}

/* A region that the sample shrinks or gives another type; then all are good again. */
static void region_gives(struct handoff_sample *sample, uint32_t index, uint32_t type,
                         uint64_t shrink_bytes, enum handoff_check_status expected)
{
    handoff_sample_retype(sample, index, type);
    handoff_sample_region(sample, index)->size_bytes -= shrink_bytes;
    assert_status(sample, expected);
    handoff_sample_write_regions(sample);
    assert_status(sample, HANDOFF_CHECK_OK);
}

static void test_what_the_loader_placed_must_lie_in_regions_of_its_type(void **state)
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

/* Low memory stays with whoever has it, so the handlers in it stay too. */
static void test_loader_that_the_firmware_loaded_below_1_MiB_is_accepted(void **state)
{
    struct handoff_sample *sample = *state;
    region_gives(sample, 8, HANDOFF_REGION_LOW_MEMORY, 0, HANDOFF_CHECK_OK);
    region_gives(sample, 8, HANDOFF_REGION_LOW_MEMORY, 0x1000, HANDOFF_CHECK_LOADER);
}

/* --- Held against what the kernel knows by itself ----------------------------------------------
 */

/* Else the rest of the image is free memory to the kernel that runs in it. */
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
    /* A loader whose regions agree with its wrong size, as the one that was seen. */
    handoff_sample_region(sample, 3)->size_bytes = PAGE_SIZE_BYTES;
    sample->handoff->kernel_size_bytes = PAGE_SIZE_BYTES;
    assert_status(sample, HANDOFF_CHECK_KERNEL_SIZE);
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
}

/* Each page of each segment, moved and with other permissions. */
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
            assert_status(sample, HANDOFF_CHECK_KERNEL_NOT_MAPPED);
            handoff_sample_map(sample, page, physical ^ PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, good);
            assert_status(sample, HANDOFF_CHECK_KERNEL_NOT_MAPPED);
            for (unsigned k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
                if (others[k].write == good.write && others[k].execute == good.execute &&
                    others[k].memory_type == good.memory_type)
                    continue;
                handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
                handoff_sample_map(sample, page, physical, PAGE_SIZE_BYTES, others[k]);
                assert_status(sample, HANDOFF_CHECK_KERNEL_NOT_MAPPED);
            }
            handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
            handoff_sample_map(sample, page, physical, PAGE_SIZE_BYTES, good);
        }
    }
    assert_status(sample, HANDOFF_CHECK_OK);
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
    assert_status(sample, HANDOFF_CHECK_KERNEL_NOT_MAPPED);
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
    assert_status(sample, HANDOFF_CHECK_STACK_NOT_MAPPED);
    handoff_sample_map(sample, last, SAMPLE_USABLE_BASE, PAGE_SIZE_BYTES, read_write);
    assert_status(sample, HANDOFF_CHECK_STACK_NOT_MAPPED);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        handoff_sample_unmap(sample, last, PAGE_SIZE_BYTES);
        handoff_sample_map(sample, last, last_physical, PAGE_SIZE_BYTES, others[i]);
        assert_status(sample, HANDOFF_CHECK_STACK_NOT_MAPPED);
    }
    handoff_sample_unmap(sample, last, PAGE_SIZE_BYTES);
    handoff_sample_map(sample, last, last_physical, PAGE_SIZE_BYTES, read_write);
    assert_status(sample, HANDOFF_CHECK_OK);
}

static void test_stack_without_a_guard_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    struct page_permissions read_only = {.write = false};
    handoff_sample_map(sample, SAMPLE_STACK_VIRTUAL - PAGE_SIZE_BYTES, SAMPLE_USABLE_BASE,
                       PAGE_SIZE_BYTES, read_only);
    assert_status(sample, HANDOFF_CHECK_STACK_GUARD);
}

static void test_page_tables_that_are_not_in_use_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    enum handoff_check_status expected = HANDOFF_CHECK_PAGE_TABLE_ROOT;
    const uint64_t roots[] = {0,
                              SAMPLE_TABLES_BASE + 0x8, /* flags of CR3 */
                              SAMPLE_TABLES_BASE + 0x18,
                              SAMPLE_TABLES_BASE + 0x1000, /* a table, but not this one */
                              SAMPLE_TABLES_BASE - 0x1000,
                              SAMPLE_TABLES_BASE + SAMPLE_TABLES_SIZE,
                              SAMPLE_TABLES_BASE | UINT64_C(1) << 46, /* beyond the width */
                              SAMPLE_TABLES_BASE | UINT64_C(1) << 63,
                              UINT64_MAX};
    for (unsigned i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        assert_field_gives(sample, arch.x86_64.page_table_root, roots[i], expected);
    assert_state_gives(sample, page_table_root, phys_addr(SAMPLE_TABLES_BASE + 0x1000), expected);
    /* No CPU has such a root, so that the width only can refuse it. */
    sample->state.page_table_root = phys_addr(UINT64_C(1) << 46);
    sample->handoff->arch.x86_64.page_table_root = UINT64_C(1) << 46;
    assert_status(sample, expected);
}

static void test_block_of_page_tables_must_hold_them(void **state)
{
    struct handoff_sample *sample = *state;
    enum handoff_check_status expected = HANDOFF_CHECK_PAGE_TABLES;
    const uint64_t bases[] = {
        0,          SAMPLE_TABLES_BASE + 1,       SAMPLE_TABLES_BASE + 0x1000, SAMPLE_DATA_BASE,
        ~PAGE_MASK, LAYOUT_DIRECT_MAP_LIMIT_BYTES};
    const uint64_t sizes[] = {0, 1, 0xfff, ~PAGE_MASK, UINT64_MAX, UINT64_C(1) << 45};
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        assert_field_gives(sample, page_tables_base, bases[i], expected);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_field_gives(sample, page_tables_size_bytes, sizes[i], expected);
    /* Not all of them: the walk does not leave the block. */
    assert_field_gives(sample, page_tables_size_bytes, PAGE_SIZE_BYTES,
                       HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED);
}

static void test_flags_must_be_what_the_cpu_has(void **state)
{
    struct handoff_sample *sample = *state;
    for (unsigned bit = 0; bit < 3; bit++)
        assert_field_gives(sample, arch.x86_64.flags,
                           sample->handoff->arch.x86_64.flags ^ 1U << bit, HANDOFF_CHECK_FLAGS);
    assert_state_gives(sample, features.no_execute, false, HANDOFF_CHECK_FLAGS);
    assert_state_gives(sample, features.largest_leaf_level, 2, HANDOFF_CHECK_FLAGS);
}

static void test_descriptor_tables_must_be_in_the_loader(void **state)
{
    struct handoff_sample *sample = *state;
    const struct range outside[] = {
        {SAMPLE_LOADER_BASE - 8, SAMPLE_LOADER_BASE + 8},
        {SAMPLE_LOADER_BASE + SAMPLE_LOADER_SIZE - 8, SAMPLE_LOADER_BASE + SAMPLE_LOADER_SIZE + 8},
        {SAMPLE_USABLE_BASE, SAMPLE_USABLE_BASE + 40},
        {0, UINT64_MAX},
    };
    for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_state_gives(sample, descriptor_tables[0], outside[i],
                           HANDOFF_CHECK_DESCRIPTOR_TABLES);
        assert_state_gives(sample, descriptor_tables[1], outside[i],
                           HANDOFF_CHECK_DESCRIPTOR_TABLES);
    }
}

/* Memory of these types beside its block would be nobody's for ever, or be taken for another's. */
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
    assert_status(sample, HANDOFF_CHECK_OK);
    assert_field_gives(sample, processor_start_base, 0, refused);
    assert_field_gives(sample, processor_start_base, 0x1800, refused);
    assert_field_gives(sample, processor_start_base, 0x2000, refused);
    assert_field_gives(sample, processor_start_base, UINT64_C(0) - PAGE_SIZE_BYTES, refused);
    assert_field_gives(sample, processor_start_size_bytes, 0, refused);
    assert_field_gives(sample, processor_start_size_bytes, 0x800, refused);
    assert_field_gives(sample, processor_start_size_bytes, 0x2000, refused);
    assert_field_gives(sample, processor_start_size_bytes, UINT64_MAX, refused);
    handoff_sample_retype(sample, low_ram, HANDOFF_REGION_LOW_MEMORY);
    assert_status(sample, refused);
    hand_over_processor_start(sample, high_ram);
    assert_status(sample, refused);
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
        assert_status(sample, pages[i].expected);
        handoff_sample_map(sample, page, pages[i].physical ^ 0x1000, PAGE_SIZE_BYTES, read_write);
        assert_status(sample, pages[i].expected);
        handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
        handoff_sample_map(sample, page, pages[i].physical, PAGE_SIZE_BYTES, execute);
        assert_status(sample, pages[i].expected);
        handoff_sample_unmap(sample, page, PAGE_SIZE_BYTES);
        handoff_sample_map(sample, page, pages[i].physical, PAGE_SIZE_BYTES, read_write);
        assert_status(sample, HANDOFF_CHECK_OK);
    }
}

/* The block of data claims memory that the machine does not have. It is refused unread: beside the
 * sample's memory the sanitizer would see a read. */
static void test_data_block_that_does_not_exist_is_not_read(void **state)
{
    struct handoff_sample *sample = *state;
    uint64_t end = SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE;
    sample->handoff->direct_map_size_bytes = UINT64_C(1) << 45;
    assert_status(sample, HANDOFF_CHECK_OK);
    sample->handoff->data_size_bytes = (UINT64_C(2) << 30) - SAMPLE_DATA_BASE;
    const uint64_t places[] = {end, end + 0x1000, UINT64_C(1) << 30, UINT64_C(0x7ffff000)};
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        sample->handoff->regions.first = places[i];
        assert_status(sample, HANDOFF_CHECK_DATA_NOT_MAPPED);
    }
}

static void test_tables_with_entries_that_the_cpu_refuses_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    /* Entry 256 of the root: the first 512 GiB of the direct map. */
    uint64_t *entry = (uint64_t *)sample->memory + 256;
    const uint64_t good = *entry;
    const uint64_t bad[] = {good & ~UINT64_C(1),      good | UINT64_C(1) << 7,
                            good | UINT64_C(1) << 46, good | UINT64_C(1) << 51,
                            good ^ UINT64_C(1) << 24, 0};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        *entry = bad[i];
        assert_status(sample, HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED);
    }
    *entry = SAMPLE_TABLES_BASE | 3; /* the root again */
    assert_status(sample, HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED);
    *entry = good;
    assert_status(sample, HANDOFF_CHECK_OK);
}

static void test_loader_name_needs_an_end(void **state)
{
    struct handoff_sample *sample = *state;
    memset(sample->handoff->loader_name, 'x', sizeof(sample->handoff->loader_name));
    assert_status(sample, HANDOFF_CHECK_LOADER_NAME);
    sample->handoff->loader_name[31] = '\0';
    assert_status(sample, HANDOFF_CHECK_OK);
}

static void test_random_seed_of_zeros_or_of_an_unknown_source_is_none(void **state)
{
    struct handoff_sample *sample = *state;
    sample->handoff->random_seed_source = HANDOFF_SEED_CPU;
    assert_false(handoff_has_random_seed(sample->handoff));
    sample->handoff->random_seed[31] = 1;
    assert_true(handoff_has_random_seed(sample->handoff));
    sample->handoff->random_seed_source = HANDOFF_SEED_EFI_RNG;
    assert_true(handoff_has_random_seed(sample->handoff));
    sample->handoff->random_seed_source = HANDOFF_SEED_NONE;
    assert_false(handoff_has_random_seed(sample->handoff));
    sample->handoff->random_seed_source = HANDOFF_SEED_CPU + 1;
    assert_false(handoff_has_random_seed(sample->handoff));
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
        assert_status(sample, HANDOFF_CHECK_REGIONS_NOT_NORMALISED);
    }
    handoff_sample_write_regions(sample);
    assert_status(sample, HANDOFF_CHECK_OK);
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
        assert_status(sample, HANDOFF_CHECK_REGIONS_FACTS);
    }
}

/* A type of a newer minor version: the kernel goes by what it says of itself. */
static void test_regions_of_an_unknown_type_are_accepted(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_region *region = handoff_sample_region(sample, 0);
    region->type = 0x777;
    assert_status(sample, HANDOFF_CHECK_OK); /* with the facts of usable RAM */
    region->reuse = 99;
    assert_status(sample, HANDOFF_CHECK_OK);
    region->facts = 0;
    region->reuse = HANDOFF_REUSE_NEVER;
    assert_status(sample, HANDOFF_CHECK_OK);
    region->facts = HANDOFF_FACT_RAM; /* that nothing has mapped */
    handoff_sample_unmap(sample, LAYOUT_DIRECT_MAP_BASE, SAMPLE_TEMP_HEAP_BASE);
    assert_status(sample, HANDOFF_CHECK_OK);
    region->facts = HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE;
    assert_status(sample, HANDOFF_CHECK_REGIONS_NOT_MAPPED);
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
    assert_field_gives(sample, modules, good, HANDOFF_CHECK_OK);
}

static void test_another_machine_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, machine, HANDOFF_MACHINE_AARCH64, HANDOFF_CHECK_MACHINE);
    assert_field_gives(sample, machine, 0, HANDOFF_CHECK_MACHINE);
}

/* Without a framebuffer, and with an array that cannot be read: nothing is followed. */
static void test_framebuffer_is_absent(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    sample->handoff->framebuffers = (struct handoff_array){0, 0, 0};
    assert_int_equal(check(sample, &view), HANDOFF_CHECK_OK);
    assert_int_equal(view.framebuffer_status, HANDOFF_FRAMEBUFFER_ABSENT);
    assert_int_equal(view.framebuffer.size_bytes, 0);
    const uint64_t places[] = {UINT64_MAX - 7, UINT64_C(1) << 46, SAMPLE_FRAMEBUFFER_BASE};
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct handoff_framebuffer screen;
        sample->handoff->framebuffers = (struct handoff_array){places[i], 1, 64};
        handoff_sample_seal(sample);
        assert_false(handoff_check_screen(sample->address, &sample->state, &screen));
    }
}

/* A bad framebuffer is only a warning. */
static void framebuffer_gives(struct handoff_sample *sample,
                              enum handoff_framebuffer_status expected)
{
    struct handoff_view view;
    assert_int_equal(check(sample, &view), HANDOFF_CHECK_OK);
    if (view.framebuffer_status != expected)
        fail_msg("'%s' instead of '%s'", handoff_framebuffer_text(view.framebuffer_status),
                 handoff_framebuffer_text(expected));
}

#define assert_framebuffer_field_gives(sample, field, bad_value, expected)                         \
    do {                                                                                           \
        struct handoff_framebuffer good = *handoff_sample_framebuffer(sample);                     \
        handoff_sample_framebuffer(sample)->field = (bad_value);                                   \
        framebuffer_gives((sample), (expected));                                                   \
        *handoff_sample_framebuffer(sample) = good;                                                \
    } while (0)

static void test_FW15_bad_framebuffer_is_ignored_with_a_reason(void **state)
{
    struct handoff_sample *sample = *state;
    enum handoff_framebuffer_status format = HANDOFF_FRAMEBUFFER_FORMAT;
    enum handoff_framebuffer_status geometry = HANDOFF_FRAMEBUFFER_GEOMETRY;
    enum handoff_framebuffer_status place = HANDOFF_FRAMEBUFFER_PLACE;
    assert_framebuffer_field_gives(sample, pixel_format, 0, format);
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
    assert_framebuffer_field_gives(sample, size_bytes, UINT64_MAX, place);
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_OK);
}

static void test_framebuffer_masks_must_fit_and_not_overlap(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_framebuffer *framebuffer = handoff_sample_framebuffer(sample);
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
    handoff_sample_framebuffer(sample)->base = LAYOUT_DIRECT_MAP_LIMIT_BYTES;
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_PLACE);
}

static void numbers_are(const struct handoff_sample *sample, enum handoff_check_status status,
                        uint64_t expected_handed_over, uint64_t expected_known)
{
    uint64_t handed_over, known;
    assert_true(
        handoff_check_numbers(sample->address, &sample->state, status, &handed_over, &known));
    assert_int_equal(handed_over, expected_handed_over);
    assert_int_equal(known, expected_known);
}

static void test_refusal_of_a_number_names_both(void **state)
{
    struct handoff_sample *sample = *state;
    uint64_t untouched = 1;
    sample->handoff->arch.x86_64.page_table_root = 2;
    sample->handoff->kernel_virtual_base = 3;
    sample->handoff->kernel_size_bytes = 4;
    sample->handoff->kernel_entry = 5;
    sample->handoff->stack_virtual_base = 6;
    numbers_are(sample, HANDOFF_CHECK_PAGE_TABLE_ROOT, 2, SAMPLE_TABLES_BASE);
    numbers_are(sample, HANDOFF_CHECK_KERNEL_BASE, 3, LAYOUT_KERNEL_IMAGE_BASE);
    numbers_are(sample, HANDOFF_CHECK_KERNEL_SIZE, 4, SAMPLE_KERNEL_SIZE);
    numbers_are(sample, HANDOFF_CHECK_KERNEL_ENTRY, 5, SAMPLE_ENTRY);
    numbers_are(sample, HANDOFF_CHECK_STACK_POINTER, 6, sample->state.stack_pointer.value);
    assert_false(handoff_check_numbers(0, &sample->state, HANDOFF_CHECK_POINTER_NULL, &untouched,
                                       &untouched));
    assert_int_equal(untouched, 1);
}

/* RAM as a screen would be written over. */
static void test_framebuffer_that_is_not_mapped_as_one_is_ignored(void **state)
{
    struct handoff_sample *sample = *state;
    uint64_t address = LAYOUT_DIRECT_MAP_BASE + SAMPLE_FRAMEBUFFER_BASE;
    struct handoff_framebuffer screen;
    const struct page_permissions others[] = {
        {.write = true},
        {.write = true, .memory_type = PAGE_MEMORY_UNCACHED},
        {.write = false, .memory_type = PAGE_MEMORY_WRITE_COMBINING},
    };
    handoff_sample_unmap(sample, address, PAGE_SIZE_BYTES);
    framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_NOT_MAPPED);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        handoff_sample_map(sample, address, SAMPLE_FRAMEBUFFER_BASE, PAGE_SIZE_BYTES, others[i]);
        framebuffer_gives(sample, HANDOFF_FRAMEBUFFER_NOT_MAPPED);
        assert_false(handoff_check_screen(sample->address, &sample->state, &screen));
        handoff_sample_unmap(sample, address, PAGE_SIZE_BYTES);
    }
}

/* A refusal is shown on a framebuffer that the tables bear out, whatever else is wrong. */
static void test_screen_for_a_refusal(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_framebuffer screen;
    sample->handoff->kernel_size_bytes = PAGE_SIZE_BYTES;
    sample->handoff->regions.first = 0;
    assert_status(sample, HANDOFF_CHECK_REGIONS);
    assert_true(handoff_check_screen(sample->address, &sample->state, &screen));
    assert_memory_equal(&screen, handoff_sample_framebuffer(sample), sizeof(screen));
    handoff_sample_framebuffer(sample)->base = SAMPLE_USABLE_BASE; /* RAM */
    handoff_sample_seal(sample);
    assert_false(handoff_check_screen(sample->address, &sample->state, &screen));
    handoff_sample_framebuffer(sample)->base = SAMPLE_FRAMEBUFFER_BASE;
    sample->handoff->arch.x86_64.page_table_root += PAGE_SIZE_BYTES;
    handoff_sample_seal(sample);
    assert_false(handoff_check_screen(sample->address, &sample->state, &screen));
    assert_false(handoff_check_screen(0, &sample->state, &screen));
}

static void test_every_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = HANDOFF_CHECK_OK; a <= HANDOFF_CHECK_STRAY_REGION; a++) {
        for (int b = HANDOFF_CHECK_OK; b < a; b++)
            assert_string_not_equal(handoff_check_text((enum handoff_check_status)a),
                                    handoff_check_text((enum handoff_check_status)b));
    }
    for (int a = HANDOFF_TEMP_HEAP_OK; a <= HANDOFF_TEMP_HEAP_NOT_THE_FIRST; a++) {
        for (int b = HANDOFF_TEMP_HEAP_OK; b < a; b++)
            assert_string_not_equal(handoff_temp_heap_text((enum handoff_temp_heap_status)a),
                                    handoff_temp_heap_text((enum handoff_temp_heap_status)b));
    }
    for (int a = HANDOFF_FRAMEBUFFER_OK; a <= HANDOFF_FRAMEBUFFER_NOT_MAPPED; a++) {
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
        FIXTURE_TEST(test_H2_handoff_of_version_1_is_refused_by_name),
        FIXTURE_TEST(test_H2_newer_minor_version_is_accepted),
        FIXTURE_TEST(test_H3_size_below_version_2_is_refused),
        FIXTURE_TEST(test_H3_tail_of_a_larger_structure_is_ignored),
        FIXTURE_TEST(test_H4_null_misaligned_and_non_canonical_pointers_are_refused),
        FIXTURE_TEST(test_H4_pointer_outside_of_the_direct_map_is_refused),
        FIXTURE_TEST(test_handoff_under_five_levels_is_accepted),
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
        FIXTURE_TEST(test_H5_heap_is_not_the_first_of_the_array),
        FIXTURE_TEST(test_H12_heap_includes_frame_zero),
        FIXTURE_TEST(test_H13_any_flipped_bit_of_the_structure_is_refused),
        FIXTURE_TEST(test_H14_region_count_or_stride_zero_is_refused),
        FIXTURE_TEST(test_H15_reserved_fields_are_ignored),
        FIXTURE_TEST(test_H16_handoff_inside_a_reclaimable_region_is_refused),
        FIXTURE_TEST(test_what_the_loader_placed_must_lie_in_regions_of_its_type),
        FIXTURE_TEST(test_loader_that_the_firmware_loaded_below_1_MiB_is_accepted),
        FIXTURE_TEST(test_image_of_another_size_is_refused),
        FIXTURE_TEST(test_image_at_another_address_is_refused),
        FIXTURE_TEST(test_segments_that_are_mapped_otherwise_are_refused),
        FIXTURE_TEST(test_image_at_another_physical_place_is_refused),
        FIXTURE_TEST(test_stack_that_is_not_in_use_is_refused),
        FIXTURE_TEST(test_stack_in_a_wrong_place_is_refused),
        FIXTURE_TEST(test_stack_without_a_guard_is_refused),
        FIXTURE_TEST(test_page_tables_that_are_not_in_use_are_refused),
        FIXTURE_TEST(test_block_of_page_tables_must_hold_them),
        FIXTURE_TEST(test_flags_must_be_what_the_cpu_has),
        FIXTURE_TEST(test_descriptor_tables_must_be_in_the_loader),
        FIXTURE_TEST(test_regions_beside_their_block_are_refused),
        FIXTURE_TEST(test_processor_start_is_a_page_below_1M_of_its_type),
        FIXTURE_TEST(test_direct_map_must_map_the_ram),
        FIXTURE_TEST(test_data_block_that_does_not_exist_is_not_read),
        FIXTURE_TEST(test_tables_with_entries_that_the_cpu_refuses_are_refused),
        FIXTURE_TEST(test_loader_name_needs_an_end),
        FIXTURE_TEST(test_random_seed_of_zeros_or_of_an_unknown_source_is_none),
        FIXTURE_TEST(test_regions_that_are_not_normalised_are_refused),
        FIXTURE_TEST(test_regions_with_impossible_facts_are_refused),
        FIXTURE_TEST(test_regions_of_an_unknown_type_are_accepted),
        FIXTURE_TEST(test_other_arrays_must_lie_in_the_data),
        FIXTURE_TEST(test_another_machine_is_refused),
        FIXTURE_TEST(test_framebuffer_is_absent),
        FIXTURE_TEST(test_FW15_bad_framebuffer_is_ignored_with_a_reason),
        FIXTURE_TEST(test_framebuffer_masks_must_fit_and_not_overlap),
        FIXTURE_TEST(test_framebuffer_beyond_the_direct_map_window_is_ignored),
        FIXTURE_TEST(test_framebuffer_that_is_not_mapped_as_one_is_ignored),
        FIXTURE_TEST(test_refusal_of_a_number_names_both),
        FIXTURE_TEST(test_screen_for_a_refusal),
        FIXTURE_TEST(test_every_reason_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
