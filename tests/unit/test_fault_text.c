#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "shared/arch/x86_64/exception_names.h"
#include "shared/arch/x86_64/fault_text.h"

static void assert_code(unsigned vector, uint64_t code, const char *expected)
{
    char text[FAULT_TEXT_CAPACITY_BYTES];
    assert_true(fault_text_error_code(vector, code, text, sizeof text));
    assert_string_equal(text, expected);
}

static void test_X3_page_faults_are_decoded(void **state)
{
    (void)state;
    assert_code(14, 0x0, "0x0: read in kernel mode, no page is mapped there");
    assert_code(14, 0x1,
                "0x1: read in kernel mode, the page is there, but not readable from this mode");
    assert_code(14, 0x2, "0x2: write in kernel mode, no page is mapped there");
    assert_code(14, 0x3, "0x3: write in kernel mode, the page is there, but not writable");
    assert_code(14, 0x4, "0x4: read in user mode, no page is mapped there");
    assert_code(14, 0x7, "0x7: write in user mode, the page is there, but not writable");
    assert_code(14, 0x10, "0x10: instruction fetch in kernel mode, no page is mapped there");
    assert_code(14, 0x11,
                "0x11: instruction fetch in kernel mode, the page is there, but not executable");
    assert_code(14, 0xb,
                "0xb: write in kernel mode, a page-table entry on the way has reserved bits set");
    assert_code(14, 0x25,
                "0x25: read in user mode, the page is there, but its protection key forbids it");
    assert_code(
        14, 0x43,
        "0x43: write in kernel mode to the shadow stack, the page is there, but not writable");
    assert_code(14, 0x80000002,
                "0x80000002: write in kernel mode, no page is mapped there; other "
                "bits are set as well");
}

static void test_X4_selectors_are_decoded(void **state)
{
    (void)state;
    assert_code(13, 0, "0x0: no selector is the cause");
    assert_code(13, 0x1,
                "0x1: no selector is the cause, while an interrupt from outside was delivered");
    assert_code(13, 0x18, "0x18: entry 3 of the GDT");
    assert_code(11, 0x1c, "0x1c: entry 3 of the LDT");
    assert_code(13, 0x102, "0x102: entry 32 of the IDT");
    assert_code(10, 0x73,
                "0x73: entry 14 of the IDT, while an interrupt from outside was delivered");
    assert_code(12, 0xfff8, "0xfff8: entry 8191 of the GDT");
}

static void test_other_error_codes(void **state)
{
    (void)state;
    assert_code(21, 3, "0x3: no ENDBRANCH at the target of an indirect branch");
    assert_code(21, 0x8001, "0x8001: near RET");
    assert_code(21, 77, "0x4d: unknown");
    assert_code(30, 1, "0x1");
}

/* interrupt_entry.S expects that the CPU pushes a code for these vectors. #DF and #AC are left out,
 * because their code is always 0. */
static void test_which_exceptions_have_a_code(void **state)
{
    (void)state;
    for (unsigned vector = 0; vector < 256; vector++) {
        char text[FAULT_TEXT_CAPACITY_BYTES] = "untouched";
        bool expected = vector < 32 && (UINT32_C(0x60207c00) >> vector & 1) != 0;
        assert_int_equal(fault_text_error_code(vector, 0, text, sizeof text), expected);
        assert_true(expected || strcmp(text, "untouched") == 0);
    }
}

static void test_canonical_addresses(void **state)
{
    (void)state;
    assert_true(fault_address_is_canonical(0x00007fffffffffff, 4));
    assert_false(fault_address_is_canonical(0x0000800000000000, 4));
    assert_false(fault_address_is_canonical(0xffff7fffffffffff, 4));
    assert_true(fault_address_is_canonical(0xffff800000000000, 4));
    assert_true(fault_address_is_canonical(0x00ffffffffffffff, 5));
    assert_false(fault_address_is_canonical(0x0100000000000000, 5));
    assert_false(fault_address_is_canonical(0xfeffffffffffffff, 5));
    assert_true(fault_address_is_canonical(0xff00000000000000, 5));
}

static const char *address_text(uint64_t address, unsigned levels)
{
    return page_fault_address_text(virt_addr(address), fault_address_is_canonical(address, levels));
}

static void test_addresses_are_described(void **state)
{
    (void)state;
    assert_non_null(strstr(address_text(0, 4), "null pointer"));
    assert_non_null(strstr(address_text(0xfff, 4), "page 0"));
    assert_null(address_text(0x1000, 4));
    assert_non_null(strstr(address_text(0xfffffffffffff000, 4), "last page"));
    assert_null(address_text(0xffffffffffffefff, 4));
    assert_non_null(strstr(address_text(0x0000800000000000, 4), "canonical"));
    assert_null(address_text(0x0000800000000000, 5));
}

static void test_every_exception_has_a_remedy(void **state)
{
    (void)state;
    for (unsigned vector = 0; vector < EXCEPTION_COUNT + 1; vector++)
        assert_true(strncmp(fault_text_remedy(vector), "look", 4) == 0 || vector == 3 ||
                    vector == 7);
}

static void test_text_is_cut_where_there_is_no_room(void **state)
{
    (void)state;
    char text[8];
    assert_true(fault_text_error_code(14, 2, text, sizeof text));
    assert_string_equal(text, "0x2: wr");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X3_page_faults_are_decoded),
        cmocka_unit_test(test_X4_selectors_are_decoded),
        cmocka_unit_test(test_other_error_codes),
        cmocka_unit_test(test_which_exceptions_have_a_code),
        cmocka_unit_test(test_canonical_addresses),
        cmocka_unit_test(test_addresses_are_described),
        cmocka_unit_test(test_every_exception_has_a_remedy),
        cmocka_unit_test(test_text_is_cut_where_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
