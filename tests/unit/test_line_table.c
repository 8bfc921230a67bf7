#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/core/line_table.h"

/* The table that tests/scripts/test_kernel_lines.py makes. An address lies before it. */
#define SAMPLE            "tests/fuzz/seeds/line_table/sample"
#define ADDRESS_BYTES     4
#define SAMPLE_SIZE_LIMIT 512
#define UNITS_BYTES       16 /* where the index begins */
#define ROWS_BYTES        32 /* and the rows, behind two units */

static unsigned char sample[SAMPLE_SIZE_LIMIT];
static size_t sample_bytes;

static int read_sample(void **state)
{
    (void)state;
    FILE *file = fopen(SAMPLE, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, ADDRESS_BYTES, SEEK_SET), 0);
    sample_bytes = fread(sample, 1, sizeof sample, file);
    assert_true(sample_bytes > UNITS_BYTES && sample_bytes < sizeof sample);
    (void)fclose(file);
    return 0;
}

static void expect_line(uint64_t offset_bytes, const char *directory, const char *file,
                        uint32_t number)
{
    struct source_line line;
    assert_true(line_table_find(sample, sample_bytes, offset_bytes, &line));
    assert_string_equal(line.directory, directory);
    assert_string_equal(line.file, file);
    assert_int_equal(line.line, number);
}

static void test_lines(void **state)
{
    (void)state;
    expect_line(0, "", "main.c", 10);
    expect_line(3, "", "main.c", 10);
    expect_line(4, "", "main.c", 11);
    expect_line(0x10, "kernel/core", "inline.h", 200);
    expect_line(0x17, "kernel/core", "inline.h", 200);
    expect_line(0x18, "", "main.c", 12);
    expect_line(0x100000, "kernel/core", "other.c", 70000);
    expect_line(UINT64_MAX, "kernel/core", "other.c", 70000);
}

/* The first unit of this copy begins later. */
static void test_address_before_the_first_unit_has_no_line(void **state)
{
    (void)state;
    unsigned char copy[SAMPLE_SIZE_LIMIT];
    struct source_line line = {.line = 7};
    memcpy(copy, sample, sample_bytes);
    copy[UNITS_BYTES] = 4;
    assert_false(line_table_find(copy, sample_bytes, 3, &line));
    assert_int_equal(line.line, 7);
    assert_true(line_table_find(copy, sample_bytes, 4, &line));
    assert_int_equal(line.line, 10);
}

static bool find_in_copy(const unsigned char *bytes, size_t size_bytes, uint64_t offset_bytes,
                         struct source_line *ret_line)
{
    unsigned char *copy = malloc(size_bytes == 0 ? 1 : size_bytes); /* ASan knows its end */
    assert_non_null(copy);
    memcpy(copy, bytes, size_bytes);
    bool is_found = line_table_find(copy, size_bytes, offset_bytes, ret_line);
    free(copy);
    return is_found;
}

static void test_short_table_has_no_line(void **state)
{
    (void)state;
    struct source_line line;
    for (size_t size_bytes = 0; size_bytes < sample_bytes; size_bytes++)
        assert_false(find_in_copy(sample, size_bytes, 0, &line));
    assert_true(find_in_copy(sample, sample_bytes, 0, &line));
}

/* A table that states a smaller size has no line where it needs the missing bytes. */
static void test_table_cut_in_its_names(void **state)
{
    (void)state;
    struct source_line line;
    unsigned char copy[SAMPLE_SIZE_LIMIT];
    memcpy(copy, sample, sample_bytes);
    assert_true(sample_bytes < 256);
    copy[0] = (unsigned char)(sample_bytes - 1);
    assert_false(find_in_copy(copy, sample_bytes, 0, &line)); /* "main.c" is the last name */
    assert_true(find_in_copy(copy, sample_bytes, 0x100000, &line));
}

/* The first row has no address to add, and then file 100 of a list that is empty. */
static void test_file_behind_the_list_is_refused(void **state)
{
    (void)state;
    struct source_line line;
    const unsigned char row[] = {0x80, 0x32, 0x80}; /* 1000, 0000001100101 */
    memcpy(sample + ROWS_BYTES, row, sizeof row);
    assert_false(find_in_copy(sample, sample_bytes, 0, &line));
}

/* Whatever one bit of damage does, every access stays in the table. */
static void test_any_damaged_bit_is_harmless(void **state)
{
    (void)state;
    struct source_line line;
    unsigned different = 0;
    for (size_t bit = 0; bit < 8 * sample_bytes; bit++) {
        unsigned char copy[SAMPLE_SIZE_LIMIT];
        memcpy(copy, sample, sample_bytes);
        copy[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (!find_in_copy(copy, sample_bytes, 0x18, &line) || line.line != 12)
            different++;
    }
    assert_true(different > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lines, read_sample),
        cmocka_unit_test_setup(test_address_before_the_first_unit_has_no_line, read_sample),
        cmocka_unit_test_setup(test_short_table_has_no_line, read_sample),
        cmocka_unit_test_setup(test_table_cut_in_its_names, read_sample),
        cmocka_unit_test_setup(test_file_behind_the_list_is_refused, read_sample),
        cmocka_unit_test_setup(test_any_damaged_bit_is_harmless, read_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
