/* The native size of a screen, from bytes that it sent. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/edid.h"

static void seal(uint8_t *edid)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < EDID_BLOCK_BYTES - 1; i++)
        sum = (uint8_t)(sum + edid[i]);
    edid[EDID_BLOCK_BYTES - 1] = (uint8_t)-sum;
}

/* A screen of 2560 x 1440. */
static void make_good(uint8_t edid[EDID_BLOCK_BYTES])
{
    static const uint8_t HEADER[] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
    static const uint8_t TIMING[18] = {0x56, 0x5e, 0x00, 0xa0, 0xa0, 0xa0, 0x29, 0x50, 0x30,
                                       0x20, 0x35, 0x00, 0x55, 0x50, 0x21, 0x00, 0x00, 0x1a};
    memset(edid, 0, EDID_BLOCK_BYTES);
    memcpy(edid, HEADER, sizeof(HEADER));
    edid[18] = 1;
    edid[19] = 4;
    memcpy(edid + 54, TIMING, sizeof(TIMING));
    seal(edid);
}

/* Parse an exact copy on the heap, so that ASan finds a read past its end. */
static bool parse(const uint8_t *edid, size_t size_bytes, struct screen_size *ret_size)
{
    uint8_t *copy = malloc(size_bytes > 0 ? size_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, edid, size_bytes);
    bool is_good = edid_native_size(copy, size_bytes, ret_size);
    free(copy);
    return is_good;
}

static void assert_refused(const uint8_t *edid, size_t size_bytes)
{
    struct screen_size size = {7, 9};
    assert_false(parse(edid, size_bytes, &size));
    assert_true(size.width_pixels == 7 && size.height_pixels == 9);
}

static void assert_size(const uint8_t *edid, uint32_t width_pixels, uint32_t height_pixels)
{
    struct screen_size size;
    assert_true(parse(edid, EDID_BLOCK_BYTES, &size));
    assert_int_equal(size.width_pixels, width_pixels);
    assert_int_equal(size.height_pixels, height_pixels);
}

static void test_the_first_detailed_timing_is_the_size(void **state)
{
    (void)state;
    uint8_t edid[EDID_BLOCK_BYTES];
    make_good(edid);
    assert_size(edid, 2560, 1440);
    edid[54 + 4] = 0xff; /* only the upper four bits belong to the size */
    edid[54 + 7] = 0xff;
    edid[54 + 2] = edid[54 + 5] = 0xff;
    seal(edid);
    assert_size(edid, 4095, 4095);
}

static void test_an_interlaced_timing_has_half_of_the_lines(void **state)
{
    (void)state;
    uint8_t edid[EDID_BLOCK_BYTES];
    make_good(edid);
    edid[54 + 17] |= 0x80;
    seal(edid);
    assert_size(edid, 2560, 2880);
}

static void test_extensions_are_not_read(void **state)
{
    (void)state;
    uint8_t edid[2 * EDID_BLOCK_BYTES];
    make_good(edid);
    memset(edid + EDID_BLOCK_BYTES, 0xa5, EDID_BLOCK_BYTES);
    struct screen_size size;
    assert_true(parse(edid, sizeof(edid), &size));
    assert_int_equal(size.width_pixels, 2560);
}

static void test_truncated_at_every_byte(void **state)
{
    (void)state;
    uint8_t edid[EDID_BLOCK_BYTES];
    make_good(edid);
    for (size_t size_bytes = 0; size_bytes < EDID_BLOCK_BYTES; size_bytes++)
        assert_refused(edid, size_bytes);
}

static void test_every_flipped_bit_breaks_the_checksum(void **state)
{
    (void)state;
    uint8_t edid[EDID_BLOCK_BYTES];
    make_good(edid);
    for (size_t bit = 0; bit < 8 * EDID_BLOCK_BYTES; bit++) {
        edid[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_refused(edid, EDID_BLOCK_BYTES);
        edid[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void assert_refused_with(size_t offset, uint8_t value)
{
    uint8_t edid[EDID_BLOCK_BYTES];
    make_good(edid);
    assert_int_not_equal(edid[offset], value);
    edid[offset] = value;
    seal(edid);
    assert_refused(edid, EDID_BLOCK_BYTES);
}

static void test_another_header_or_version_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_refused_with(i, 0x7f);
    assert_refused_with(18, 0);
    assert_refused_with(18, 2);
}

static void test_a_block_without_a_timing_is_refused(void **state)
{
    (void)state;
    uint8_t edid[EDID_BLOCK_BYTES];
    static const size_t PAIRS[][2] = {{0, 1}, {2, 4}, {5, 7}}; /* clock, width, height */
    for (size_t i = 0; i < 3; i++) {
        make_good(edid);
        edid[54 + PAIRS[i][0]] = edid[54 + PAIRS[i][1]] = 0;
        seal(edid);
        assert_refused(edid, EDID_BLOCK_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_detailed_timing_is_the_size),
        cmocka_unit_test(test_an_interlaced_timing_has_half_of_the_lines),
        cmocka_unit_test(test_extensions_are_not_read),
        cmocka_unit_test(test_truncated_at_every_byte),
        cmocka_unit_test(test_every_flipped_bit_breaks_the_checksum),
        cmocka_unit_test(test_another_header_or_version_is_refused),
        cmocka_unit_test(test_a_block_without_a_timing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
