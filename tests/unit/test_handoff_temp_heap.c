/* The handed-over temporary heap. Catalogue group H. */
#include "kernel/handoff/handoff_temp_heap.h"
#include "kernel/mm/early_heap.h"
#include "shared/address.h"
#include "tests/unit/support/handoff_expect.h"

static void heap_gives(struct handoff_sample *sample, uint64_t base, uint64_t size_bytes,
                       enum handoff_temp_heap_status expected)
{
    struct handoff_view view;
    sample->handoff->temp_heap_base = base;
    sample->handoff->temp_heap_size = size_bytes;
    *handoff_sample_temp_heap(sample) = (struct handoff_temp_heap){base, size_bytes};
    /* An invalid temporary heap is not a reason to refuse the handoff. */
    assert_int_equal(handoff_expect_sealed(sample, &view), HANDOFF_CHECK_OK);
    enum handoff_temp_heap_status status = handoff_temp_heap_check(&view);
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
    const struct {
        uint64_t start;
        uint64_t end;
    } others[] = {
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
        assert_int_equal(handoff_expect_sealed(sample, &view), HANDOFF_CHECK_OK);
        assert_int_equal(handoff_temp_heap_check(&view), HANDOFF_TEMP_HEAP_NOT_THE_FIRST);
    }
    heap_gives(sample, SAMPLE_TEMP_HEAP_BASE, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_OK);
    sample->handoff->temp_heaps = (struct handoff_array){0, 0, 0};
    assert_int_equal(handoff_expect_sealed(sample, &view), HANDOFF_CHECK_OK);
    assert_int_equal(handoff_temp_heap_check(&view), HANDOFF_TEMP_HEAP_NOT_THE_FIRST);
}

static void test_H12_heap_includes_frame_zero(void **state)
{
    heap_gives(*state, 1, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_FRAME_ZERO);
    heap_gives(*state, 4095, SAMPLE_TEMP_HEAP_SIZE, HANDOFF_TEMP_HEAP_FRAME_ZERO);
}

static void test_every_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = HANDOFF_TEMP_HEAP_OK; a <= HANDOFF_TEMP_HEAP_NOT_THE_FIRST; a++) {
        for (int b = HANDOFF_TEMP_HEAP_OK; b < a; b++)
            assert_string_not_equal(handoff_temp_heap_text((enum handoff_temp_heap_status)a),
                                    handoff_temp_heap_text((enum handoff_temp_heap_status)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_H5_exactly_one_heap_field_zero),
        HANDOFF_TEST(test_H6_both_heap_fields_zero),
        HANDOFF_TEST(test_H7_heap_base_unaligned),
        HANDOFF_TEST(test_H8_heap_wraps),
        HANDOFF_TEST(test_H9_heap_below_the_minimum_size),
        HANDOFF_TEST(test_H10_heap_not_wholly_loader_data),
        HANDOFF_TEST(test_H11_heap_overlaps_something),
        HANDOFF_TEST(test_H5_heap_is_not_the_first_of_the_array),
        HANDOFF_TEST(test_H12_heap_includes_frame_zero),
        HANDOFF_TEST(test_every_reason_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
