/* The modules and the further temporary heaps of a handoff. Catalogue groups H and N. */
#include <string.h>

#include "kernel/handoff/handoff_modules.h"
#include "shared/address.h"
#include "tests/unit/support/handoff_expect.h"

/* In the block of handoff data. */
#define MODULES_OFFSET 0x3800
#define TEXT_OFFSET    0x3100
#define NAME           "initrd"

#define MODULE_COUNT 3
#define MODULE_BASE  SAMPLE_USABLE_BASE
#define LAST_BYTES   (2 * PAGE_SIZE_BYTES + 1)

/* A row of usable RAM, which becomes the modules': a page, a page, three pages. */
#define MODULE_ROW 7

static struct handoff_module *module(struct handoff_sample *sample, uint32_t index)
{
    return (struct handoff_module *)(void *)(sample->data + MODULES_OFFSET) + index;
}

static void hand_over_modules(struct handoff_sample *sample)
{
    const struct handoff_text name = {SAMPLE_DATA_BASE + TEXT_OFFSET, strlen(NAME)};
    const struct handoff_text empty = {SAMPLE_DATA_BASE + TEXT_OFFSET + strlen(NAME), 0};
    memcpy(sample->data + TEXT_OFFSET, NAME, sizeof(NAME));
    handoff_sample_write_regions(sample);
    handoff_sample_region(sample, MODULE_ROW)->size_bytes = 5 * PAGE_SIZE_BYTES;
    handoff_sample_retype(sample, MODULE_ROW, HANDOFF_REGION_MODULE);
    *module(sample, 0) = (struct handoff_module){MODULE_BASE, 1, name, empty, {0}, 0, 0};
    *module(sample, 1) = (struct handoff_module){
        MODULE_BASE + PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, name, name, {0}, 0, 0};
    *module(sample, 2) = (struct handoff_module){
        MODULE_BASE + 2 * PAGE_SIZE_BYTES, LAST_BYTES, empty, name, {0}, 0, 0};
    sample->handoff->modules = (struct handoff_array){SAMPLE_DATA_BASE + MODULES_OFFSET,
                                                      MODULE_COUNT, sizeof(struct handoff_module)};
}

static void test_N2_modules_are_accepted_and_viewed(void **state)
{
    struct handoff_sample *sample = *state;
    struct handoff_view view;
    hand_over_modules(sample);
    assert_int_equal(handoff_expect_sealed(sample, &view), HANDOFF_CHECK_OK);
    for (uint32_t i = 0; i < MODULE_COUNT; i++)
        assert_ptr_equal(handoff_view_module(&view, i), module(sample, i));
}

/* Change one field of a module, expect a refusal, and change it back. */
#define assert_module_gives(sample, index, field, bad_value, expected)                             \
    do {                                                                                           \
        struct handoff_module good_module = *module((sample), (index));                            \
        module((sample), (index))->field = (bad_value);                                            \
        handoff_expect_status((sample), (expected));                                               \
        *module((sample), (index)) = good_module;                                                  \
        handoff_expect_status((sample), HANDOFF_CHECK_OK);                                         \
    } while (0)

static void test_misplaced_modules_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const uint64_t bases[] = {0, MODULE_BASE + 1, SAMPLE_LOADER_BASE, UINT64_MAX,
                              UINT64_C(0) - PAGE_SIZE_BYTES};
    const uint64_t sizes[] = {0, PAGE_SIZE_BYTES + 1, UINT64_MAX, UINT64_MAX - PAGE_MASK + 1};
    hand_over_modules(sample);
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        assert_module_gives(sample, 0, base, bases[i], HANDOFF_CHECK_MODULES);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_module_gives(sample, 0, size_bytes, sizes[i], HANDOFF_CHECK_MODULES);
    assert_module_gives(sample, 2, size_bytes, LAST_BYTES + PAGE_SIZE_BYTES, HANDOFF_CHECK_MODULES);
    assert_module_gives(sample, 2, base, MODULE_BASE, HANDOFF_CHECK_MODULES);
    assert_module_gives(sample, 1, base, MODULE_BASE, HANDOFF_CHECK_MODULES);
}

static void test_more_regions_than_modules_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    hand_over_modules(sample);
    assert_module_gives(sample, 2, size_bytes, PAGE_SIZE_BYTES, HANDOFF_CHECK_STRAY_REGION);
    assert_field_gives(sample, modules.count, MODULE_COUNT - 1, HANDOFF_CHECK_STRAY_REGION);
    sample->handoff->modules = (struct handoff_array){0, 0, 0};
    handoff_expect_status(sample, HANDOFF_CHECK_STRAY_REGION);
}

static void test_texts_of_modules_need_their_nul_inside_the_data(void **state)
{
    struct handoff_sample *sample = *state;
    const enum handoff_check_status refused = HANDOFF_CHECK_MODULE_TEXTS;
    hand_over_modules(sample);
    assert_module_gives(sample, 0, name.size_bytes, strlen(NAME) - 1, refused);
    assert_module_gives(sample, 0, name.size_bytes, UINT64_MAX, refused);
    assert_module_gives(sample, 2, command_line.address, 0, refused);
    assert_module_gives(sample, 2, command_line.address, SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE,
                        refused);
}

static void test_the_number_of_modules_is_limited(void **state)
{
    struct handoff_sample *sample = *state;
    sample->handoff->modules = (struct handoff_array){SAMPLE_DATA_BASE, HANDOFF_MODULES_LIMIT + 1,
                                                      sizeof(struct handoff_module)};
    handoff_expect_status(sample, HANDOFF_CHECK_ARRAYS); /* the sample is too small for it */
    _Static_assert((HANDOFF_MODULES_LIMIT + 1) * sizeof(struct handoff_temp_heap) <
                       SAMPLE_DATA_SIZE - SAMPLE_REGIONS_OFFSET,
                   "so many heaps fit");
    sample->handoff->modules = (struct handoff_array){0, 0, 0};
    sample->handoff->temp_heaps = (struct handoff_array){
        SAMPLE_DATA_BASE, HANDOFF_MODULES_LIMIT + 1, sizeof(struct handoff_temp_heap)};
    handoff_expect_status(sample, HANDOFF_CHECK_TEMP_HEAPS);
}

/* A second heap in two pages of the row of usable RAM. */
static void hand_over_heaps(struct handoff_sample *sample)
{
    handoff_sample_write_regions(sample);
    handoff_sample_region(sample, MODULE_ROW)->size_bytes = 2 * PAGE_SIZE_BYTES;
    handoff_sample_retype(sample, MODULE_ROW, HANDOFF_REGION_TEMP_HEAP);
    handoff_sample_temp_heap(sample)[1] =
        (struct handoff_temp_heap){MODULE_BASE, 2 * PAGE_SIZE_BYTES};
    sample->handoff->temp_heaps.count = 2;
}

static void second_heap_gives(struct handoff_sample *sample, uint64_t base, uint64_t size_bytes,
                              enum handoff_check_status expected)
{
    handoff_sample_temp_heap(sample)[1] = (struct handoff_temp_heap){base, size_bytes};
    handoff_expect_status(sample, expected);
}

static void test_further_temporary_heaps(void **state)
{
    struct handoff_sample *sample = *state;
    const enum handoff_check_status refused = HANDOFF_CHECK_TEMP_HEAPS;
    hand_over_heaps(sample);
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
    second_heap_gives(sample, MODULE_BASE + PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, HANDOFF_CHECK_OK);
    second_heap_gives(sample, 0, 0, refused);
    second_heap_gives(sample, MODULE_BASE, 0, refused);
    second_heap_gives(sample, MODULE_BASE, PAGE_SIZE_BYTES - 1, refused);
    second_heap_gives(sample, MODULE_BASE + 8, PAGE_SIZE_BYTES, refused);
    second_heap_gives(sample, MODULE_BASE, 3 * PAGE_SIZE_BYTES, refused);
    second_heap_gives(sample, MODULE_BASE, UINT64_MAX - PAGE_MASK, refused);
    second_heap_gives(sample, SAMPLE_TEMP_HEAP_BASE, PAGE_SIZE_BYTES, refused);
    second_heap_gives(sample, SAMPLE_LOADER_BASE, PAGE_SIZE_BYTES, refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_N2_modules_are_accepted_and_viewed),
        HANDOFF_TEST(test_misplaced_modules_are_refused),
        HANDOFF_TEST(test_more_regions_than_modules_are_refused),
        HANDOFF_TEST(test_texts_of_modules_need_their_nul_inside_the_data),
        HANDOFF_TEST(test_the_number_of_modules_is_limited),
        HANDOFF_TEST(test_further_temporary_heaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
