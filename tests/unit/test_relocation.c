/*
 * test_relocation.c - the relocations of a static PIE: every kind, every wrong table (catalogue N3).
 */
#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/arch.h"
#include "tests/unit/support/pie_image.h"

#define SLIDE    UINT64_C(0xffffffff87200000)
#define RELATIVE 8
#define FREE     (PIE_DATA + PIE_DYNAMIC_BYTES) /* data behind the dynamic section */
/* The kinds of the psABI 1.0, table 4.9, and some behind. */
#define KIND_LIMIT 64

static struct pie_image pie;

static int set_up(void **state)
{
    (void)state;
    pie_image_create(&pie, 0);
    return 0;
}

static void expect(enum relocation_status expected)
{
    struct relocation_culprit culprit;
    char text[RELOCATION_TEXT_CAPACITY];
    enum relocation_status status = pie_image_relocate(&pie, SLIDE, &culprit);
    relocation_describe(status, &culprit, arch_relocation_kinds(), text);
    if (status != expected)
        fail_msg("status %d instead of %d: %s", (int)status, (int)expected, text);
}

static void expect_text(enum relocation_status expected, const char *expected_text)
{
    struct relocation_culprit culprit;
    char text[RELOCATION_TEXT_CAPACITY];
    enum relocation_status status = pie_image_relocate(&pie, SLIDE, &culprit);
    relocation_describe(status, &culprit, arch_relocation_kinds(), text);
    assert_int_equal(status, expected);
    assert_string_equal(text, expected_text);
}

/* --- Good tables --- */

static void test_relative_relocation_gets_addend_and_slide(void **state)
{
    (void)state;
    pie_image_set_rela(&pie, 0, FREE, RELATIVE, 0x1234);
    pie_image_set_rela(&pie, 1, FREE + 9, RELATIVE, (uint64_t)-8); /* unaligned */
    pie_image_set_rela(&pie, 2, PIE_DATA + 0x1ff8, RELATIVE, 0);   /* the end of .bss */
    pie_image_add_rela(&pie, 3);
    pie_image_set64(&pie, FREE, UINT64_MAX); /* RELA does not count what is there */
    expect(RELOCATION_OK);
    assert_int_equal(pie_image_get64(&pie, FREE), SLIDE + 0x1234);
    assert_int_equal(pie_image_get64(&pie, FREE + 9), SLIDE - 8);
    assert_int_equal(pie_image_get64(&pie, PIE_DATA + 0x1ff8), SLIDE);
}

static void test_relr_adds_the_slide(void **state)
{
    (void)state;
    /* An address, then bitmaps for the 63 words behind it, and for the next 63. */
    const uint64_t words[] = {FREE, 1 | 1 << 1 | UINT64_C(1) << 63, 1 | 1 << 1, FREE + 0x800};
    const uint64_t places[] = {FREE, FREE + 8, FREE + 8 + 62 * 8, FREE + 8 + 63 * 8, FREE + 0x800};
    for (size_t i = 0; i < 5; i++)
        pie_image_set64(&pie, places[i], 0x100 + i);
    pie_image_set64(&pie, FREE + 16, 0x77);
    pie_image_add_relr(&pie, words, 4);
    expect(RELOCATION_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(pie_image_get64(&pie, places[i]), SLIDE + 0x100 + i);
    assert_int_equal(pie_image_get64(&pie, FREE + 16), 0x77);
}

static void test_no_table_changes_nothing(void **state)
{
    (void)state;
    static uint8_t before[PIE_IMAGE_SIZE_BYTES];
    pie_image_add(&pie, 6, UINT64_MAX);          /* DT_SYMTAB */
    pie_image_add(&pie, 0x6ffffffb, 0x08000001); /* DT_FLAGS_1 */
    pie_image_add(&pie, 0x6ffffff9, 5);          /* DT_RELACOUNT */
    pie_image_add(&pie, 30, 8);                  /* DT_FLAGS: DF_BIND_NOW */
    pie_image_add(&pie, 8, 0);                   /* DT_RELASZ */
    pie_image_add(&pie, 0xfffffffffffffff0, 1);
    memcpy(before, pie.bytes, sizeof(before));
    expect(RELOCATION_OK);
    assert_memory_equal(before, pie.bytes, sizeof(before));
}

static void test_image_in_the_higher_half(void **state)
{
    (void)state;
    pie_image_create(&pie, 0xffffffff80000000);
    pie_image_set_rela(&pie, 0, FREE, RELATIVE, 0xffffffff80000040);
    pie_image_add_rela(&pie, 1);
    struct relocation_culprit culprit;
    assert_int_equal(pie_image_relocate(&pie, 0x1000, &culprit), RELOCATION_OK);
    assert_int_equal(pie_image_get64(&pie, FREE), 0xffffffff80001040);
}

/* --- Kinds --- */

static void test_N3_every_other_kind_is_refused_by_its_name(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        const char *name;
    } NAMES[] = {{1, "R_X86_64_64"},          {5, "R_X86_64_COPY"},     {6, "R_X86_64_GLOB_DAT"},
                 {7, "R_X86_64_JUMP_SLOT"},   {10, "R_X86_64_32"},      {11, "R_X86_64_32S"},
                 {16, "R_X86_64_DTPMOD64"},   {18, "R_X86_64_TPOFF64"}, {24, "R_X86_64_PC64"},
                 {33, "R_X86_64_SIZE64"},     {36, "R_X86_64_TLSDESC"}, {37, "R_X86_64_IRELATIVE"},
                 {38, "R_X86_64_RELATIVE64"}, {2, "R_X86_64_PC32"},     {17, "R_X86_64_DTPOFF64"},
                 {32, "R_X86_64_SIZE32"},     {9, "R_X86_64_unknown"},  {39, "R_X86_64_unknown"},
                 {63, "R_X86_64_unknown"}};
    unsigned named = 0;
    for (uint32_t kind = 0; kind < KIND_LIMIT; kind++) {
        char text[RELOCATION_TEXT_CAPACITY];
        struct relocation_culprit culprit;
        pie_image_create(&pie, 0);
        pie_image_set_rela(&pie, 0, FREE, RELATIVE, 0);
        pie_image_set_rela(&pie, 1, FREE + 8, kind | UINT64_C(3) << 32, 0);
        pie_image_add_rela(&pie, 2);
        bool is_good = kind == 0 || kind == RELATIVE;
        enum relocation_status status = pie_image_relocate(&pie, SLIDE, &culprit);
        assert_int_equal(status, is_good ? RELOCATION_OK : RELOCATION_BAD_KIND);
        if (is_good)
            continue;
        relocation_describe(status, &culprit, arch_relocation_kinds(), text);
        assert_non_null(strstr(text, "relocation 1 of DT_RELA (R_X86_64_"));
        assert_non_null(strstr(text, ") at 0x2208: Only relative ones are supported."));
        for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
            char wanted[40];
            (void)snprintf(wanted, sizeof(wanted), "(%s %u)", NAMES[i].name, kind);
            named += kind == NAMES[i].kind && strstr(text, wanted) != NULL ? 1u : 0u;
        }
    }
    assert_int_equal(named, sizeof(NAMES) / sizeof(NAMES[0]));
}

/* It changes nothing, wherever its place is. */
static void test_none_is_skipped(void **state)
{
    (void)state;
    pie_image_set_rela(&pie, 0, UINT64_MAX, 0, 1);
    pie_image_add_rela(&pie, 1);
    expect(RELOCATION_OK);
}

static void test_kinds_of_the_procedure_table_are_refused(void **state)
{
    (void)state;
    pie_image_set_rela(&pie, 0, FREE, 37, 0);
    pie_image_add(&pie, 23, PIE_TABLES);
    pie_image_add(&pie, 2, 24);
    pie_image_add(&pie, 20, 7);
    expect_text(RELOCATION_BAD_KIND, "relocation 0 of DT_JMPREL (R_X86_64_IRELATIVE 37) at 0x2200: "
                                     "Only relative ones are supported.");
}

/* --- Places --- */

static void expect_place(uint64_t place, enum relocation_status expected)
{
    const uint64_t word = pie.base + place;
    pie_image_create(&pie, pie.base);
    pie_image_set_rela(&pie, 0, place, RELATIVE, 0);
    pie_image_add_rela(&pie, 1);
    expect(expected);
    if (word % 2 != 0)
        return;
    pie_image_create(&pie, pie.base);
    pie_image_add_relr(&pie, &word, 1);
    expect(expected);
}

static void test_N3_place_out_of_range(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        pie_image_create(&pie, i == 0 ? 0x10000 : 0xffffffff80000000);
        expect_place(PIE_DATA + 0x1ff8, RELOCATION_OK);
        expect_place(PIE_DATA + 0x1ffa, RELOCATION_OUT_OF_RANGE); /* its end is in the gap */
        expect_place(PIE_DATA + 0x2000, RELOCATION_OUT_OF_RANGE); /* the gap */
        expect_place(PIE_SMALL + 8, RELOCATION_OK);
        expect_place(PIE_SMALL + 9, RELOCATION_OUT_OF_RANGE);
        expect_place(PIE_IMAGE_SIZE_BYTES, RELOCATION_OUT_OF_RANGE);
        expect_place(0 - UINT64_C(4), RELOCATION_OUT_OF_RANGE);
        expect_place(0 - pie.base - 8, RELOCATION_OUT_OF_RANGE); /* the end of all addresses */
        expect_place(0 - pie.base - 1, RELOCATION_OUT_OF_RANGE); /* it wraps */
        expect_place(UINT64_C(1) << 63, RELOCATION_OUT_OF_RANGE);
    }
}

static void test_N3_place_in_a_read_only_segment(void **state)
{
    (void)state;
    expect_place(0, RELOCATION_READ_ONLY);
    expect_place(0xff8, RELOCATION_READ_ONLY);
    expect_place(PIE_TABLES + 0x900, RELOCATION_READ_ONLY);
    expect_place(PIE_DATA - 4, RELOCATION_OUT_OF_RANGE); /* in two segments */
    pie_image_create(&pie, 0);
    pie_image_set_rela(&pie, 0, 0x10, RELATIVE, 0);
    pie_image_add_rela(&pie, 1);
    expect_text(RELOCATION_READ_ONLY, "relocation 0 of DT_RELA (R_X86_64_RELATIVE 8) at 0x10: Its "
                                      "segment is read-only.");
}

/* For each distance, and in both orders, with the first place at each bit of a byte. */
static void test_N3_places_that_overlap(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 16; first++) {
        for (int distance = -16; distance <= 16; distance++) {
            uint64_t place = FREE + 32 + first;
            bool overlaps = abs(distance) < 8;
            pie_image_create(&pie, 0);
            pie_image_set_rela(&pie, 0, place, RELATIVE, 0);
            pie_image_set_rela(&pie, 1, FREE + 0x400, RELATIVE, 0);
            pie_image_set_rela(&pie, 2, place + (uint64_t)distance, RELATIVE, 0);
            pie_image_add_rela(&pie, 3);
            expect(overlaps ? RELOCATION_OVERLAP : RELOCATION_OK);
        }
    }
}

static void test_N3_overlap_of_the_first_and_the_last_bytes(void **state)
{
    (void)state;
    pie_image_create(&pie, 0);
    pie.plan.segments[0].write = true;
    pie_image_set_rela(&pie, 0, 0, RELATIVE, 0);
    pie_image_set_rela(&pie, 1, 7, RELATIVE, 0);
    pie_image_add_rela(&pie, 2);
    expect(RELOCATION_OVERLAP);
    pie.plan.segments[3].memory.end = virt_addr(PIE_IMAGE_SIZE_BYTES);
    pie_image_set_rela(&pie, 0, PIE_IMAGE_SIZE_BYTES - 8, RELATIVE, 0);
    pie_image_set_rela(&pie, 1, PIE_IMAGE_SIZE_BYTES - 15, RELATIVE, 0);
    expect(RELOCATION_OVERLAP);
    pie_image_set_rela(&pie, 1, PIE_IMAGE_SIZE_BYTES - 16, RELATIVE, 0);
    expect(RELOCATION_OK);
}

static void test_N3_overlap_between_two_tables(void **state)
{
    (void)state;
    const uint64_t words[] = {FREE + 8, 1 | 1 << 2};
    pie_image_set_rela(&pie, 0, FREE + 24, RELATIVE, 0);
    pie_image_add_rela(&pie, 1);
    pie_image_add_relr(&pie, words, 2);
    expect_text(RELOCATION_OVERLAP, "relocation 1 of DT_RELR (R_X86_64_RELATIVE 8) at 0x2218: It "
                                    "overlaps one before.");
}

static void test_relr_that_begins_with_a_bitmap(void **state)
{
    (void)state;
    const uint64_t words[] = {3};
    pie_image_add_relr(&pie, words, 1);
    expect(RELOCATION_RELR_BEGIN);
}

/* Bitmaps without a bit go on for ever, and touch nothing. */
static void test_relr_beyond_the_image(void **state)
{
    (void)state;
    const uint64_t words[] = {FREE, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3};
    pie_image_add_relr(&pie, words, 17);
    expect(RELOCATION_OK);
    pie_image_create(&pie, 0);
    pie_image_add_relr(&pie, words, 18);
    expect(RELOCATION_OUT_OF_RANGE);
}

/* --- The dynamic section --- */

static void test_dynamic_section_outside(void **state)
{
    (void)state;
    static const uint64_t STARTS[] = {PIE_DATA + 0xf00, PIE_DATA + 0x1000, 0x4000,
                                      PIE_IMAGE_SIZE_BYTES, UINT64_MAX - 0x1ff};
    for (size_t i = 0; i < sizeof(STARTS) / sizeof(STARTS[0]); i++) {
        pie.plan.dynamic = virt_range(STARTS[i], STARTS[i] + PIE_DYNAMIC_BYTES);
        expect(RELOCATION_DYNAMIC_OUTSIDE);
    }
}

static void test_dynamic_section_without_an_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PIE_DYNAMIC_BYTES / 16; i++)
        pie_image_add(&pie, 0x6ffffef5, 0);
    expect(RELOCATION_DYNAMIC_NO_END);
    pie.plan.dynamic.end = virt_addr(pie.plan.dynamic.start.value + 15);
    expect(RELOCATION_DYNAMIC_NO_END);
}

/* Behind DT_NULL nothing counts. */
static void test_dynamic_section_ends_at_null(void **state)
{
    (void)state;
    pie_image_add(&pie, 0, 0);
    pie_image_add(&pie, 1, 5);
    expect(RELOCATION_OK);
}

static void test_tags_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t tag, value;
        enum relocation_status expected;
    } CASES[] = {
        {1, 0, RELOCATION_NEEDS_LIBRARY},       {22, 0, RELOCATION_OF_TEXT},
        {30, 4 | 8, RELOCATION_OF_TEXT},        {17, 0, RELOCATION_OTHER_FORM},
        {0x6000000f, 0, RELOCATION_OTHER_FORM}, {0x60000012, 0, RELOCATION_OTHER_FORM},
        {0x6fffe000, 0, RELOCATION_OTHER_FORM}, {0x6fffe003, 0, RELOCATION_OTHER_FORM},
        {0x6000000e, 0, RELOCATION_OK},         {0x60000013, 0, RELOCATION_OK},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        pie_image_create(&pie, 0);
        pie_image_add(&pie, CASES[i].tag, CASES[i].value);
        expect(CASES[i].expected);
    }
}

static void test_tag_that_stands_there_twice(void **state)
{
    (void)state;
    for (uint64_t tag = 2; tag < 38; tag++) {
        pie_image_create(&pie, 0);
        pie_image_add(&pie, tag, 1);
        pie_image_add(&pie, tag, 1);
        if (tag != 17 && tag != 22)
            expect(RELOCATION_DYNAMIC_REPEATED);
    }
}

/* Each of: the tags of address, size and size of an entry; the address, and the right sizes. */
static void expect_table(uint64_t address, uint64_t size, uint64_t entry,
                         enum relocation_status rela, enum relocation_status relr)
{
    pie_image_create(&pie, 0);
    pie_image_add(&pie, 7, address);
    pie_image_add(&pie, 8, size * 24);
    pie_image_add(&pie, 9, entry + 24);
    expect(rela);
    pie_image_create(&pie, 0);
    pie_image_add(&pie, 36, address);
    pie_image_add(&pie, 35, size * 8);
    pie_image_add(&pie, 37, entry + 8);
    expect(relr);
}

static void test_N3_table_out_of_range(void **state)
{
    (void)state;
    const enum relocation_status outside = RELOCATION_TABLE_OUTSIDE;
    expect_table(PIE_TABLES, 0, 0, RELOCATION_OK, RELOCATION_OK);
    expect_table(UINT64_MAX, 0, 0, RELOCATION_OK, RELOCATION_OK);
    expect_table(PIE_TABLES + 0xffe, 1, 0, outside, outside);
    expect_table(PIE_DATA + 0xff8, 3, 0, outside, outside); /* .bss has no bytes in the file */
    expect_table(0x4000, 1, 0, outside, outside);
    expect_table(UINT64_MAX - 3, 1, 0, outside, outside);
    expect_table(PIE_TABLES, UINT64_C(1) << 59, 0, outside, outside);
    expect_table(PIE_TABLES, 1, 1, RELOCATION_BAD_SIZE, RELOCATION_BAD_SIZE);
}

static void test_wrong_sizes_of_tables(void **state)
{
    (void)state;
    pie_image_add_rela(&pie, 1);
    pie_image_set64(&pie, PIE_DATA + 24, 25);
    expect(RELOCATION_BAD_SIZE);
    pie_image_create(&pie, 0); /* no address */
    pie_image_add(&pie, 8, 24);
    pie_image_add(&pie, 9, 24);
    expect(RELOCATION_TABLE_OUTSIDE);
    pie_image_create(&pie, 0); /* no size of an entry */
    pie_image_add(&pie, 7, PIE_TABLES);
    pie_image_add(&pie, 8, 24);
    expect(RELOCATION_BAD_SIZE);
    pie_image_create(&pie, 0); /* DT_PLTREL is DT_REL */
    pie_image_add(&pie, 23, PIE_TABLES);
    pie_image_add(&pie, 2, 24);
    pie_image_add(&pie, 20, 17);
    expect(RELOCATION_BAD_SIZE);
}

static void test_every_status_has_its_sentence(void **state)
{
    (void)state;
    char text[RELOCATION_TEXT_CAPACITY];
    const struct relocation_culprit none = {0};
    for (unsigned status = RELOCATION_OK; status < RELOCATION_STATUS_COUNT; status++) {
        relocation_describe((enum relocation_status)status, &none, arch_relocation_kinds(), text);
        assert_int_equal(text[strlen(text) - 1], '.');
    }
    assert_string_equal(text, "A bitmap has no address before it.");
    /* The longest description has room. */
    const struct relocation_culprit longest = {"JMPREL", UINT32_MAX, UINT64_MAX, 34};
    relocation_describe(RELOCATION_OVERLAP, &longest, arch_relocation_kinds(), text);
    assert_int_equal(text[strlen(text) - 1], '.');
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_relative_relocation_gets_addend_and_slide),
        TEST(test_relr_adds_the_slide),
        TEST(test_no_table_changes_nothing),
        TEST(test_image_in_the_higher_half),
        TEST(test_N3_every_other_kind_is_refused_by_its_name),
        TEST(test_none_is_skipped),
        TEST(test_kinds_of_the_procedure_table_are_refused),
        TEST(test_N3_place_out_of_range),
        TEST(test_N3_place_in_a_read_only_segment),
        TEST(test_N3_places_that_overlap),
        TEST(test_N3_overlap_of_the_first_and_the_last_bytes),
        TEST(test_N3_overlap_between_two_tables),
        TEST(test_relr_that_begins_with_a_bitmap),
        TEST(test_relr_beyond_the_image),
        TEST(test_dynamic_section_outside),
        TEST(test_dynamic_section_without_an_end),
        TEST(test_dynamic_section_ends_at_null),
        TEST(test_tags_that_are_refused),
        TEST(test_tag_that_stands_there_twice),
        TEST(test_N3_table_out_of_range),
        TEST(test_wrong_sizes_of_tables),
        TEST(test_every_status_has_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
