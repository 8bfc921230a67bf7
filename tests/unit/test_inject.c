/*
 * test_inject.c - the words of `inject` in handoff.conf, and the maps that they make.
 */
#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "bootloader/pure/inject.h"
#include "bootloader/pure/memory_map.h"
#include "shared/address.h"
#include "shared/handoff_checksum.h"
#include "tests/unit/support/handoff_expect.h"

#define CONVENTIONAL 7
#define ROW_CAPACITY 8
#define STRIDE_BYTES 48

static bool parse(const char *text, struct inject *ret_inject)
{
    return inject_parse((struct piece){text, strlen(text)}, ret_inject);
}

static void assert_refused(const char *text)
{
    struct inject inject;
    if (parse(text, &inject))
        fail_msg("accepted: %s", text);
}

static void test_every_word_is_read(void **state)
{
    (void)state;
    for (unsigned failure = 0; failure < INJECT_FAILURE_COUNT; failure++) {
        char text[64];
        struct inject inject;
        bool has_number = failure <= INJECT_HANG;
        snprintf(text, sizeof(text), "%s%s", inject_word(failure), has_number ? ":7" : "");
        assert_true(parse(text, &inject));
        for (unsigned other = 0; other < INJECT_FAILURE_COUNT; other++)
            assert_int_equal(inject.numbers[other], other != failure ? 0 : has_number ? 7 : 1);
    }
}

static void test_a_list_has_commas_and_blanks(void **state)
{
    (void)state;
    struct inject inject;
    assert_true(parse("fail-pages:3, stale-key:2 ,\thide-screen", &inject));
    assert_int_equal(inject.numbers[INJECT_FAIL_PAGES], 3);
    assert_int_equal(inject.numbers[INJECT_STALE_KEY], 2);
    assert_int_equal(inject.numbers[INJECT_HIDE_SCREEN], 1);
    assert_int_equal(inject.numbers[INJECT_BAD_JUMP], 0);
    assert_true(parse("stale-key:1000000", &inject));
    assert_int_equal(inject.numbers[INJECT_STALE_KEY], INJECT_NUMBER_LIMIT);
}

static void test_a_wrong_list_is_refused(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "",
        ",",
        "hide-screen,",
        ",hide-screen",
        "hide-screens",
        "hide screen",
        "Hide-screen",
        "hide-screen:1",
        "hide-screen:",
        "fail-pages",
        "fail-pages:",
        "fail-pages:0",
        "fail-pages:-1",
        "fail-pages:x",
        "fail-pages: 1",
        "fail-pages:1000001",
        "fail-pages:4294967297",
        "fail-pages:1:2",
        "hide-screen, hide-screen",
        "hide-screen shrink-screen",
    };
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++)
        assert_refused(WRONG[i]);
}

static void test_the_list_has_every_word(void **state)
{
    (void)state;
    char text[sizeof(INJECT_WORDS) + 64];
    size_t length = 0;
    for (unsigned failure = 0; failure < INJECT_FAILURE_COUNT; failure++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s",
                                   failure == 0 ? "" : " ", inject_word(failure),
                                   failure <= INJECT_HANG ? ":N" : "");
    assert_string_equal(text, INJECT_WORDS);
}

/* --- Maps: 1 MiB of loader data, then free RAM, then a smaller piece of it --- */

struct sample {
    _Alignas(8) uint8_t rows[ROW_CAPACITY * STRIDE_BYTES];
    struct inject_map map;
};

static struct memory_map_descriptor row_of(const struct sample *sample, uint64_t index)
{
    struct memory_map_descriptor row;
    memcpy(&row, sample->rows + index * STRIDE_BYTES, sizeof(row));
    return row;
}

static struct sample changed(enum inject_failure failure, uint64_t row_count)
{
    static const struct memory_map_descriptor ROWS[] = {
        {.type = 2, .physical_start = 1 * MIB, .page_count = 256, .attribute = 0xf},
        {.type = CONVENTIONAL, .physical_start = 2 * MIB, .page_count = 512, .attribute = 0xf},
        {.type = CONVENTIONAL, .physical_start = 8 * MIB, .page_count = 16, .attribute = 0xf},
    };
    struct inject inject = {{0}};
    struct sample sample;
    inject.numbers[failure] = 1;
    memset(&sample, 0, sizeof(sample));
    for (uint64_t i = 0; i < row_count; i++)
        memcpy(sample.rows + i * STRIDE_BYTES, &ROWS[i], sizeof(ROWS[i]));
    sample.map = (struct inject_map){sample.rows, row_count * STRIDE_BYTES, sizeof(sample.rows),
                                     STRIDE_BYTES};
    inject_change_map(&inject, &sample.map);
    return sample;
}

static void test_shuffled_rows_have_the_opposite_order(void **state)
{
    (void)state;
    struct sample sample = changed(INJECT_SHUFFLE_MAP, 3);
    assert_int_equal(sample.map.size_bytes, 3 * STRIDE_BYTES);
    assert_int_equal(row_of(&sample, 0).physical_start, 8 * MIB);
    assert_int_equal(row_of(&sample, 1).physical_start, 2 * MIB);
    assert_int_equal(row_of(&sample, 2).physical_start, 1 * MIB);
}

static void test_a_reserved_row_overlaps_free_memory(void **state)
{
    (void)state;
    struct sample sample = changed(INJECT_OVERLAP_MAP, 3);
    assert_int_equal(sample.map.size_bytes, 4 * STRIDE_BYTES);
    struct memory_map_descriptor row = row_of(&sample, 3);
    assert_int_equal(row.type, 0);
    assert_int_equal(row.physical_start, 3 * MIB);
    assert_int_equal(row.page_count, 256);
}

static void test_free_memory_begins_in_a_page(void **state)
{
    (void)state;
    struct sample sample = changed(INJECT_MISALIGN_MAP, 3);
    assert_int_equal(row_of(&sample, 1).physical_start, 2 * MIB + 0x123);
    assert_int_equal(row_of(&sample, 0).physical_start, 1 * MIB);
}

static void test_rows_are_there_twice(void **state)
{
    (void)state;
    struct sample sample = changed(INJECT_REPEAT_MAP, 3);
    assert_int_equal(sample.map.size_bytes, 6 * STRIDE_BYTES);
    for (uint64_t i = 0; i < 3; i++) {
        struct memory_map_descriptor first = row_of(&sample, i);
        struct memory_map_descriptor second = row_of(&sample, 3 + i);
        assert_memory_equal(&first, &second, sizeof(first));
    }
}

static void test_a_high_row_is_beyond_every_cpu(void **state)
{
    (void)state;
    struct sample sample = changed(INJECT_HIGH_MAP, 3);
    struct memory_map_descriptor row = row_of(&sample, 3);
    assert_int_equal(row.type, CONVENTIONAL);
    assert_true(row.physical_start == MEMORY_MAP_PHYSICAL_LIMIT_BYTES);
}

static void test_no_row_has_attributes(void **state)
{
    (void)state;
    struct sample sample = changed(INJECT_CLEAR_ATTRIBUTES, 3);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(row_of(&sample, i).attribute, 0);
}

static void test_a_row_without_room_is_left_out(void **state)
{
    (void)state;
    static const enum inject_failure ADDING[] = {INJECT_OVERLAP_MAP, INJECT_REPEAT_MAP,
                                                 INJECT_HIGH_MAP};
    for (size_t i = 0; i < sizeof(ADDING) / sizeof(ADDING[0]); i++) {
        struct sample sample = changed(ADDING[i], 3);
        struct inject inject = {{0}};
        inject.numbers[ADDING[i]] = 1;
        sample.map.size_bytes = 3 * STRIDE_BYTES;
        sample.map.capacity_bytes = 4 * STRIDE_BYTES - 1;
        inject_change_map(&inject, &sample.map);
        assert_int_equal(sample.map.size_bytes, 3 * STRIDE_BYTES);
    }
}

static void test_an_empty_map_stays_empty(void **state)
{
    (void)state;
    for (unsigned failure = 0; failure < INJECT_FAILURE_COUNT; failure++)
        assert_int_equal(changed(failure, 0).map.size_bytes, 0);
    /* Without free memory there is no row to overlap. */
    assert_int_equal(changed(INJECT_OVERLAP_MAP, 1).map.size_bytes, STRIDE_BYTES);
}

/* --- Handoffs: the kernel's own check finds each mistake, and no other --- */

static enum handoff_check_status status_with(struct handoff_sample *sample,
                                             enum inject_failure failure)
{
    struct inject inject = {{0}};
    struct handoff_view view;
    inject.numbers[failure] = 1;
    inject_damage_handoff(&inject, sample->handoff, (void *)(sample->data + SAMPLE_REGIONS_OFFSET));
    return handoff_expect_run(sample, &view);
}

#define DAMAGE_TEST(name, failure, expected)                                                       \
    static void name(void **state)                                                                 \
    {                                                                                              \
        struct handoff_sample *sample = *state;                                                    \
        assert_int_equal(status_with(sample, failure), expected);                                  \
        assert_int_equal(sample->handoff->checksum !=                                              \
                             handoff_checksum(sample->handoff, sample->handoff->size_bytes),       \
                         (expected) == HANDOFF_CHECK_CHECKSUM);                                    \
    }

DAMAGE_TEST(test_H13_bad_checksum, INJECT_BAD_CHECKSUM, HANDOFF_CHECK_CHECKSUM)
DAMAGE_TEST(test_H1_bad_magic, INJECT_BAD_MAGIC, HANDOFF_CHECK_MAGIC)
DAMAGE_TEST(test_H2_bad_version, INJECT_BAD_VERSION, HANDOFF_CHECK_MAJOR_VERSION)
DAMAGE_TEST(test_H3_bad_size, INJECT_BAD_SIZE, HANDOFF_CHECK_SIZE)
DAMAGE_TEST(test_H_bad_machine, INJECT_BAD_MACHINE, HANDOFF_CHECK_MACHINE)
DAMAGE_TEST(test_H_bad_root, INJECT_BAD_ROOT, HANDOFF_CHECK_PAGE_TABLE_ROOT)
DAMAGE_TEST(test_H_bad_array, INJECT_BAD_ARRAY, HANDOFF_CHECK_REGIONS)
DAMAGE_TEST(test_H_bad_regions, INJECT_BAD_REGIONS, HANDOFF_CHECK_REGIONS_NOT_NORMALISED)
DAMAGE_TEST(test_H_no_failure_of_the_handoff, INJECT_BAD_JUMP, HANDOFF_CHECK_OK)

/* It differs in each way that docs/HANDOFF.md allows, and a reader must accept it. */
static void test_H2_newer_minor_version_is_accepted(void **state)
{
    struct handoff_sample *sample = *state;
    assert_int_equal(status_with(sample, INJECT_NEWER_MINOR), HANDOFF_CHECK_OK);
    assert_int_equal(sample->handoff->version_minor, HANDOFF_VERSION_MINOR + 1);
    assert_true(sample->handoff->size_bytes > HANDOFF_SIZE_V2_BYTES);
    assert_true(sample->handoff->reserved[0] != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_word_is_read),
        cmocka_unit_test(test_a_list_has_commas_and_blanks),
        cmocka_unit_test(test_a_wrong_list_is_refused),
        cmocka_unit_test(test_the_list_has_every_word),
        cmocka_unit_test(test_shuffled_rows_have_the_opposite_order),
        cmocka_unit_test(test_a_reserved_row_overlaps_free_memory),
        cmocka_unit_test(test_free_memory_begins_in_a_page),
        cmocka_unit_test(test_rows_are_there_twice),
        cmocka_unit_test(test_a_high_row_is_beyond_every_cpu),
        cmocka_unit_test(test_no_row_has_attributes),
        cmocka_unit_test(test_a_row_without_room_is_left_out),
        cmocka_unit_test(test_an_empty_map_stays_empty),
        HANDOFF_TEST(test_H13_bad_checksum),
        HANDOFF_TEST(test_H1_bad_magic),
        HANDOFF_TEST(test_H2_bad_version),
        HANDOFF_TEST(test_H3_bad_size),
        HANDOFF_TEST(test_H_bad_machine),
        HANDOFF_TEST(test_H_bad_root),
        HANDOFF_TEST(test_H_bad_array),
        HANDOFF_TEST(test_H_bad_regions),
        HANDOFF_TEST(test_H_no_failure_of_the_handoff),
        HANDOFF_TEST(test_H2_newer_minor_version_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
