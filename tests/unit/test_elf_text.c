#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/elf_text.h"
#include "bootloader/pure/error.h"
#include "shared/handoff.h"
#include "tests/unit/support/elf_plan_check.h"
#include "tests/unit/support/synthetic_elf.h"

#define BASE SYNTHETIC_ELF_BASE

/* The words about the synthetic file with one changed field of one program header. */
static void assert_words(unsigned n, size_t field, uint64_t value, const char *expected)
{
    char text[ELF_REFUSAL_CAPACITY];
    struct elf_plan plan;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    if (field == P_TYPE || field == P_FLAGS)
        synthetic_elf_set32(&elf, synthetic_elf_segment(n, field), (uint32_t)value);
    else
        synthetic_elf_set64(&elf, synthetic_elf_segment(n, field), value);
    assert_true(elf_refusal_of_file(elf.bytes, sizeof(elf.bytes), HANDOFF_MACHINE_X86_64, &plan,
                                    text) != ELF_OK);
    assert_string_equal(text, expected);
}

static void test_one_segment_is_named(void **state)
{
    (void)state;
    assert_words(SYNTHETIC_RODATA, P_VADDR, 0x200000,
                 "segment 1 (r--, 0x200000, 49 bytes): "
                 "A segment is linked below 0xffffffff80000000.");
    assert_words(SYNTHETIC_TEXT, P_FLAGS, 7,
                 "segment 0 (rwx, 0xffffffff80000000, 64 bytes): "
                 "A segment is both writable and executable.");
    assert_words(SYNTHETIC_DATA, P_OFFSET, 0x1800,
                 "segment 2 (rw-, 0xffffffff80002010, 12288 bytes): "
                 "A segment's address and file offset do not agree with its alignment.");
    assert_words(SYNTHETIC_STACK, P_TYPE, 2,
                 "segment 3 (rw-, 0x0, 0 bytes): The ELF file is dynamic, and no static PIE.");
}

static void test_two_segments_are_named_in_order_of_address(void **state)
{
    (void)state;
    assert_words(SYNTHETIC_RODATA, P_VADDR, BASE + 0x400,
                 "segment 0 (r-x, 0xffffffff80000000, 64 bytes): "
                 "segment 1 (r--, 0xffffffff80000400, 49 bytes): "
                 "Two segments with different permissions share a page.");
    assert_words(SYNTHETIC_TEXT, P_VADDR, BASE + 0x3000,
                 "segment 2 (rw-, 0xffffffff80002010, 12288 bytes): "
                 "segment 0 (r-x, 0xffffffff80003000, 64 bytes): Two segments overlap.");
    assert_words(SYNTHETIC_DATA, P_VADDR, BASE + ELF_IMAGE_LIMIT_BYTES + 0x10,
                 "segment 0 (r-x, 0xffffffff80000000, 64 bytes): "
                 "segment 2 (rw-, 0xffffffff90000010, 12288 bytes): "
                 "The image is larger than 256 MiB.");
}

static void test_the_longest_words_fit(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    struct elf_culprits culprits = {2, {SYNTHETIC_DATA, SYNTHETIC_DATA}, 0};
    char text[ELF_REFUSAL_CAPACITY];
    synthetic_elf_create(&elf);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_DATA, P_VADDR), UINT64_MAX);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_DATA, P_MEMSZ), UINT64_MAX);
    for (unsigned status = 0; status < ELF_STATUS_COUNT; status++) {
        elf_describe_refusal((enum elf_status)status, &culprits, elf.bytes + 64, text);
        assert_int_equal(text[strlen(text) - 1], '.');
    }
}

static void test_a_file_without_a_segment_that_breaks_the_rule(void **state)
{
    (void)state;
    char text[ELF_REFUSAL_CAPACITY];
    struct elf_plan plan;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    synthetic_elf_set64(&elf, E_ENTRY, 0x401000);
    (void)elf_refusal_of_file(elf.bytes, sizeof(elf.bytes), HANDOFF_MACHINE_X86_64, &plan, text);
    assert_string_equal(text,
                        "entry 0x401000: The entry point is not inside an executable segment.");
    elf.bytes[0] = 0;
    (void)elf_refusal_of_file(elf.bytes, sizeof(elf.bytes), HANDOFF_MACHINE_X86_64, &plan, text);
    assert_string_equal(text, "The file is not an ELF file.");
}

/* The sentences are one text, in the order of the numbers. */
static void test_every_status_has_its_sentence_and_a_remedy(void **state)
{
    (void)state;
    assert_string_equal(elf_status_text(ELF_OK), "The file is a kernel that can be loaded.");
    assert_string_equal(elf_status_text(ELF_BAD_MAGIC), "The file is not an ELF file.");
    assert_string_equal(elf_status_text(ELF_NEEDS_RELOCATION),
                        "The ELF file is dynamic, and no static PIE.");
    for (unsigned status = ELF_OK; status < ELF_STATUS_COUNT; status++) {
        const char *sentence = elf_status_text((enum elf_status)status);
        const char *remedy = elf_status_remedy((enum elf_status)status);
        assert_int_equal(sentence[strlen(sentence) - 1], '.');
        assert_int_equal(remedy[strlen(remedy) - 1], '.');
    }
}

static void test_remedies_name_the_linker_s_option(void **state)
{
    (void)state;
    static const struct {
        enum elf_status status;
        const char *words;
    } CASES[] = {
        {ELF_LOWER_HALF, "--image-base=0xffffffff80000000"},
        {ELF_PAGE_WITH_TWO_PERMISSIONS, "`. = ALIGN(4096);`"},
        {ELF_INCONGRUENT, "-z max-page-size=4096"},
        {ELF_WRITABLE_EXECUTABLE, "PHDRS"},
        {ELF_BAD_ENTRY, "ENTRY(name)"},
        {ELF_NEEDS_INTERPRETER, "-static"},
        {ELF_NOT_EXECUTABLE, "-no-pie"},
        {ELF_NO_DYNAMIC, "PT_DYNAMIC FLAGS(6)"},
        {ELF_IMAGE_TOO_LARGE, "256 MiB"},
        {ELF_OTHER_MACHINE, "`--target=`"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        assert_non_null(strstr(elf_status_remedy(CASES[i].status), CASES[i].words));
    assert_string_equal(elf_status_remedy(ELF_BAD_MAGIC),
                        error_remedy(LOADER_ERROR_KERNEL_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_segment_is_named),
        cmocka_unit_test(test_two_segments_are_named_in_order_of_address),
        cmocka_unit_test(test_the_longest_words_fit),
        cmocka_unit_test(test_a_file_without_a_segment_that_breaks_the_rule),
        cmocka_unit_test(test_every_status_has_its_sentence_and_a_remedy),
        cmocka_unit_test(test_remedies_name_the_linker_s_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
