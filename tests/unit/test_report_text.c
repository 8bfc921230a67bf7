/*
 * The text for a phone. zlib and the test's own base45 read it back.
 */
#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "kernel/screen/report_text.h"
#include "tests/unit/support/random.h"

#define REPORT_CAPACITY_BYTES (2 * DEFLATE_INPUT_LIMIT_BYTES)

static struct report_text report_text;
static char report[REPORT_CAPACITY_BYTES];

/* --- base45 ----------------------------------------------------------------------------------- */

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

static size_t decode(const char *text, size_t length, uint8_t *bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i += 3) {
        unsigned value = 0;
        size_t digits = length - i < 3 ? length - i : 3;
        assert_true(digits > 1);
        for (size_t j = digits; j > 0; j--)
            value = 45 * value + (unsigned)(strchr(alphabet, text[i + j - 1]) - alphabet);
        if (digits == 3)
            bytes[count++] = (uint8_t)(value >> 8);
        bytes[count++] = (uint8_t)value;
    }
    return count;
}

/* The examples of RFC 9285. */
static void test_base45_examples(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"AB", "BB8"},
                                          {"Hello!!", "%69 VD92EX0"},
                                          {"base-45", "UJCLQE7W581"},
                                          {"ietf!", "QED8WEX0"}};
    char text[32];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size_bytes = strlen(rows[i][0]);
        memset(text, 'x', sizeof text);
        size_t length = base45_encode((const uint8_t *)rows[i][0], size_bytes, text);
        assert_int_equal(length, strlen(rows[i][1]));
        assert_int_equal(length, BASE45_LENGTH(size_bytes));
        assert_memory_equal(text, rows[i][1], length);
        assert_int_equal(text[length], 'x');
    }
}

static void test_base45_values(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        const char *place = i == 0 ? NULL : strchr(alphabet, (int)i);
        assert_int_equal(base45_value((char)i), place == NULL ? 45 : place - alphabet);
    }
}

/* --- The text --------------------------------------------------------------------------------- */

/* Expect that the text contains the first `size_bytes` bytes of the report. */
static void expect_report(size_t size_bytes)
{
    static uint8_t bytes[REPORT_TEXT_CAPACITY];
    static uint8_t inflated[REPORT_CAPACITY_BYTES];
    size_t prefix = strlen(REPORT_TEXT_PREFIX);
    uLongf count = sizeof inflated;
    assert_true(report_text.length > prefix);
    assert_memory_equal(report_text.text, REPORT_TEXT_PREFIX, prefix);
    size_t stream = decode(report_text.text + prefix, report_text.length - prefix, bytes);
    assert_int_equal(uncompress(inflated, &count, bytes, stream), Z_OK);
    assert_int_equal(count, size_bytes);
    assert_int_equal(report_text.report_size_bytes, size_bytes);
    assert_memory_equal(inflated, report, size_bytes);
}

/* Fill the report with lines, and return its size. */
static size_t fill(unsigned line_count)
{
    struct random random = {7};
    size_t size_bytes = 0;
    for (unsigned i = 0; i < line_count; i++)
        size_bytes += (size_t)snprintf(report + size_bytes, sizeof report - size_bytes,
                                       "[panic] #%u 0x%016llx name+0x10 kernel/main.c:%u\n", i,
                                       (unsigned long long)random_next(&random), i);
    return size_bytes;
}

static void test_whole_report(void **state)
{
    (void)state;
    for (unsigned lines = 1; lines < 60; lines++) {
        size_t size_bytes = fill(lines);
        report_text_write(&report_text, report, size_bytes, REPORT_TEXT_CAPACITY);
        expect_report(size_bytes);
    }
}

static size_t line_end(size_t from)
{
    return (size_t)(strchr(report + from, '\n') + 1 - report);
}

/* The text of every length limit has as many whole lines as fit. */
static void test_last_lines_are_left_out(void **state)
{
    (void)state;
    static struct report_text longer;
    size_t size_bytes = fill(30);
    size_t before = 0;
    for (size_t limit = 0; limit < 1400; limit += 7) {
        report_text_write(&report_text, report, size_bytes, limit);
        assert_true(report_text.length <= limit);
        size_t kept = report_text.length == 0 ? 0 : report_text.report_size_bytes;
        assert_true(kept >= before);
        before = kept;
        if (kept != 0)
            expect_report(kept);
        if (kept == size_bytes)
            continue;
        assert_true(kept == 0 || report[kept - 1] == '\n');
        report_text_write(&longer, report, line_end(kept), REPORT_TEXT_CAPACITY);
        assert_true(longer.length > limit - limit % 3 || longer.length + 2 > limit);
    }
    assert_int_equal(before, size_bytes);
}

/* A report that is longer than the compressor's limit ends with a whole line. */
static void test_long_report(void **state)
{
    (void)state;
    size_t size_bytes = fill(120);
    assert_true(size_bytes > DEFLATE_INPUT_LIMIT_BYTES);
    report_text_write(&report_text, report, size_bytes, SIZE_MAX);
    size_t kept = report_text.report_size_bytes;
    assert_true(kept <= DEFLATE_INPUT_LIMIT_BYTES && line_end(kept) > DEFLATE_INPUT_LIMIT_BYTES);
    expect_report(kept);
}

static void test_nothing_fits(void **state)
{
    (void)state;
    report_text_write(&report_text, report, fill(1), 30);
    assert_int_equal(report_text.length, 0);
    report_text_write(&report_text, "a line without an end", 21, 4000);
    assert_int_equal(report_text.length, 0);
    report_text_write(&report_text, "", 0, 4000);
    assert_int_equal(report_text.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base45_examples), cmocka_unit_test(test_base45_values),
        cmocka_unit_test(test_whole_report),    cmocka_unit_test(test_last_lines_are_left_out),
        cmocka_unit_test(test_long_report),     cmocka_unit_test(test_nothing_fits),
    };
    return cmocka_run_group_tests_name("report_text", tests, NULL, NULL);
}
