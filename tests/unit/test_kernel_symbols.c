/*
 * test_kernel_symbols.c - the symbol table of a kernel's file: found, and every wrong one refused.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/kernel_symbols.h"

/*   0    header
 *   64   section headers: none, .symtab, .strtab
 *   256  symbols: two
 *   304  names: 12 bytes */
#define FILE_BYTES      316
#define SECTIONS_OFFSET 64
#define SECTIONS        3
#define SYMBOLS_OFFSET  256
#define STRINGS_OFFSET  304
#define STRINGS         "\0main\0other"

/* Offsets in Elf64_Ehdr and Elf64_Shdr. */
enum { E_SHOFF = 40, E_SHNUM = 60 };
enum { SH_TYPE = 4, SH_OFFSET = 24, SH_SIZE = 32, SH_LINK = 40, SH_ENTSIZE = 56 };

struct sample {
    uint8_t bytes[FILE_BYTES];
};

static void set(struct sample *sample, size_t offset, uint64_t value, size_t size_bytes)
{
    memcpy(sample->bytes + offset, &value, size_bytes);
}

static void set_section(struct sample *sample, unsigned number, size_t field, uint64_t value)
{
    bool is_word = field == SH_TYPE || field == SH_LINK;
    set(sample, SECTIONS_OFFSET + 64 * (size_t)number + field, value, is_word ? 4 : 8);
}

static void create(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    set(sample, E_SHOFF, SECTIONS_OFFSET, 8);
    set(sample, E_SHNUM, SECTIONS, 2);
    set_section(sample, 1, SH_TYPE, 2);
    set_section(sample, 1, SH_OFFSET, SYMBOLS_OFFSET);
    set_section(sample, 1, SH_SIZE, 48);
    set_section(sample, 1, SH_LINK, 2);
    set_section(sample, 1, SH_ENTSIZE, 24);
    set_section(sample, 2, SH_TYPE, 3);
    set_section(sample, 2, SH_OFFSET, STRINGS_OFFSET);
    set_section(sample, 2, SH_SIZE, sizeof(STRINGS));
    set(sample, SYMBOLS_OFFSET + 24, 1, 4);
    memcpy(sample->bytes + STRINGS_OFFSET, STRINGS, sizeof(STRINGS));
}

/* As the loader does, with copies of the exact size at odd addresses. */
static uint8_t *odd_copy(const struct sample *sample, uint64_t offset, uint64_t size_bytes,
                         uint64_t more_offset, uint64_t more_size_bytes)
{
    uint8_t *block = malloc(size_bytes + more_size_bytes + 1);
    assert_non_null(block);
    memcpy(block + 1, sample->bytes + offset, size_bytes);
    memcpy(block + 1 + size_bytes, sample->bytes + more_offset, more_size_bytes);
    return block;
}

/* What elf_plan() takes from the header. */
static struct elf_plan kernel_of(const struct sample *sample)
{
    struct elf_plan kernel = {0};
    uint16_t count;
    memcpy(&kernel.sections_offset, sample->bytes + E_SHOFF, sizeof(kernel.sections_offset));
    memcpy(&count, sample->bytes + E_SHNUM, sizeof(count));
    kernel.section_count = count;
    return kernel;
}

static enum kernel_symbols_status read(const struct sample *sample,
                                       struct kernel_symbols_plan *ret_plan)
{
    const struct elf_plan kernel = kernel_of(sample);
    uint64_t size_bytes = kernel_symbols_headers_size_bytes(&kernel, FILE_BYTES);
    if (size_bytes == 0)
        return KERNEL_SYMBOLS_ABSENT;
    uint8_t *headers = odd_copy(sample, kernel.sections_offset, size_bytes, 0, 0);
    enum kernel_symbols_status status =
        kernel_symbols_find(&kernel, headers + 1, FILE_BYTES, ret_plan);
    free(headers);
    if (status != KERNEL_SYMBOLS_OK)
        return status;
    uint8_t *symbols =
        odd_copy(sample, ret_plan->symbols_offset, ret_plan->count * KERNEL_SYMBOL_SIZE_BYTES,
                 ret_plan->strings_offset, ret_plan->strings_size_bytes);
    status = kernel_symbols_check(symbols + 1, ret_plan);
    free(symbols);
    return status;
}

static void expect(const struct sample *sample, enum kernel_symbols_status expected)
{
    struct kernel_symbols_plan plan;
    enum kernel_symbols_status status = read(sample, &plan);
    if (status != expected)
        fail_msg("%s Not: %s", kernel_symbols_status_text(status),
                 kernel_symbols_status_text(expected));
}

static void expect_section(unsigned number, size_t field, uint64_t value,
                           enum kernel_symbols_status expected)
{
    struct sample sample;
    create(&sample);
    set_section(&sample, number, field, value);
    expect(&sample, expected);
}

static void test_good_table(void **state)
{
    (void)state;
    struct sample sample;
    struct kernel_symbols_plan plan;
    create(&sample);
    assert_int_equal(read(&sample, &plan), KERNEL_SYMBOLS_OK);
    assert_int_equal(plan.symbols_offset, SYMBOLS_OFFSET);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.strings_offset, STRINGS_OFFSET);
    assert_int_equal(plan.strings_size_bytes, sizeof(STRINGS));
}

static void test_file_without_a_table(void **state)
{
    (void)state;
    struct sample sample;
    create(&sample);
    set(&sample, E_SHNUM, 0, 2);
    expect(&sample, KERNEL_SYMBOLS_ABSENT);
    expect_section(1, SH_TYPE, 11, KERNEL_SYMBOLS_ABSENT); /* SHT_DYNSYM */
}

static void test_section_headers_behind_the_file(void **state)
{
    (void)state;
    static const uint64_t OFFSETS[] = {FILE_BYTES - 191, FILE_BYTES + 1, UINT64_MAX - 10};
    for (size_t i = 0; i < sizeof(OFFSETS) / sizeof(OFFSETS[0]); i++) {
        struct sample sample;
        create(&sample);
        set(&sample, E_SHOFF, OFFSETS[i], 8);
        expect(&sample, KERNEL_SYMBOLS_ABSENT);
    }
}

static void test_place_in_the_handoff(void **state)
{
    (void)state;
    struct handoff_array array = {0};
    struct handoff_range range = {0};
    struct kernel_symbols symbols = {phys_range(0x1000, 0x2000), 0, 0};
    kernel_symbols_write(&symbols, &array, &range);
    assert_int_equal(array.first | array.count | range.base, 0);
    symbols.count = 3;
    symbols.strings_size_bytes = 7;
    kernel_symbols_write(&symbols, &array, &range);
    assert_int_equal(array.first, 0x1000);
    assert_int_equal(range.base, 0x1000 + 72);
}

static void test_symbols(void **state)
{
    (void)state;
    expect_section(1, SH_ENTSIZE, 16, KERNEL_SYMBOLS_BAD_SIZE);
    expect_section(1, SH_ENTSIZE, 0, KERNEL_SYMBOLS_BAD_SIZE);
    expect_section(1, SH_SIZE, 0, KERNEL_SYMBOLS_BAD_SIZE);
    expect_section(1, SH_SIZE, 47, KERNEL_SYMBOLS_BAD_SIZE);
    expect_section(1, SH_SIZE, 24 * 3, KERNEL_SYMBOLS_OUT_OF_FILE);
    expect_section(1, SH_SIZE, UINT64_C(24) << 58, KERNEL_SYMBOLS_OUT_OF_FILE);
    expect_section(1, SH_OFFSET, FILE_BYTES - 47, KERNEL_SYMBOLS_OUT_OF_FILE);
    expect_section(1, SH_OFFSET, UINT64_MAX, KERNEL_SYMBOLS_OUT_OF_FILE);
}

static void test_names(void **state)
{
    (void)state;
    expect_section(1, SH_LINK, SECTIONS, KERNEL_SYMBOLS_BAD_LINK);
    expect_section(1, SH_LINK, UINT32_MAX, KERNEL_SYMBOLS_BAD_LINK);
    expect_section(1, SH_LINK, 0, KERNEL_SYMBOLS_BAD_LINK);
    expect_section(1, SH_LINK, 1, KERNEL_SYMBOLS_BAD_LINK);
    expect_section(2, SH_SIZE, 0, KERNEL_SYMBOLS_BAD_LINK);
    expect_section(2, SH_SIZE, sizeof(STRINGS) + 1, KERNEL_SYMBOLS_OUT_OF_FILE);
    expect_section(2, SH_SIZE, UINT64_MAX, KERNEL_SYMBOLS_OUT_OF_FILE);
    expect_section(2, SH_OFFSET, UINT64_MAX, KERNEL_SYMBOLS_OUT_OF_FILE);
    expect_section(2, SH_SIZE, sizeof(STRINGS) - 1, KERNEL_SYMBOLS_NO_END);
}

static void test_name_of_a_symbol(void **state)
{
    (void)state;
    struct sample sample;
    create(&sample);
    set(&sample, SYMBOLS_OFFSET + 24, sizeof(STRINGS) - 1, 4);
    expect(&sample, KERNEL_SYMBOLS_OK);
    set(&sample, SYMBOLS_OFFSET + 24, sizeof(STRINGS), 4);
    expect(&sample, KERNEL_SYMBOLS_BAD_NAME);
    create(&sample);
    set(&sample, SYMBOLS_OFFSET, UINT32_MAX, 4);
    expect(&sample, KERNEL_SYMBOLS_BAD_NAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_table),
        cmocka_unit_test(test_file_without_a_table),
        cmocka_unit_test(test_section_headers_behind_the_file),
        cmocka_unit_test(test_place_in_the_handoff),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_name_of_a_symbol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
