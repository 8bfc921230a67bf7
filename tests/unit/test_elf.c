#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/elf.h"
#include "bootloader/pure/elf_text.h"
#include "shared/handoff.h"
#include "tests/unit/support/elf_plan_check.h"
#include "tests/unit/support/synthetic_elf.h"

#define BASE SYNTHETIC_ELF_BASE

static enum elf_status plan_bytes(const void *bytes, size_t size_bytes, struct elf_plan *ret_plan)
{
    return elf_plan_of_file(bytes, size_bytes, HANDOFF_MACHINE_X86_64, ret_plan);
}

static void assert_refused_bytes(const void *bytes, size_t size_bytes, enum elf_status expected)
{
    struct elf_plan plan;
    struct elf_plan untouched;
    memset(&plan, 0x77, sizeof(plan));
    memset(&untouched, 0x77, sizeof(untouched));
    enum elf_status status = plan_bytes(bytes, size_bytes, &plan);
    if (status != expected)
        fail_msg("%s instead of: %s", elf_status_text(status), elf_status_text(expected));
    assert_memory_equal(&plan, &untouched, sizeof(plan));
}

static void assert_refused(const struct synthetic_elf *elf, enum elf_status expected)
{
    assert_refused_bytes(elf->bytes, sizeof(elf->bytes), expected);
}

static struct elf_plan plan_good(const struct synthetic_elf *elf)
{
    struct elf_plan plan;
    enum elf_status status = plan_bytes(elf->bytes, sizeof(elf->bytes), &plan);
    if (status != ELF_OK)
        fail_msg("refused: %s", elf_status_text(status));
    return plan;
}

/* Return the synthetic file with one changed field of one program header. */
static struct synthetic_elf with_segment(unsigned n, size_t field, uint64_t value)
{
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    if (field == P_TYPE || field == P_FLAGS)
        synthetic_elf_set32(&elf, synthetic_elf_segment(n, field), (uint32_t)value);
    else
        synthetic_elf_set64(&elf, synthetic_elf_segment(n, field), value);
    return elf;
}

static void assert_segment_refused(unsigned n, size_t field, uint64_t value,
                                   enum elf_status expected)
{
    struct synthetic_elf elf = with_segment(n, field, value);
    assert_refused(&elf, expected);
}

/* Return the file with one changed field of the ELF header. */
static struct synthetic_elf with_header16(size_t field, uint16_t value)
{
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    synthetic_elf_set16(&elf, field, value);
    return elf;
}

static void test_good_file(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    struct elf_plan plan = plan_good(&elf);
    assert_int_equal(plan.entry.value, BASE + 0x10);
    assert_int_equal(plan.image.start.value, BASE);
    assert_int_equal(virt_range_size_bytes(plan.image), 0x6000);
    assert_int_equal(plan.segment_count, 3);
    assert_true(plan.segments[0].execute && !plan.segments[0].write);
    assert_true(!plan.segments[1].execute && !plan.segments[1].write);
    assert_true(!plan.segments[2].execute && plan.segments[2].write);
    assert_int_equal(plan.segments[2].memory.start.value, BASE + 0x2010);
    assert_int_equal(virt_range_size_bytes(plan.segments[2].memory), 0x3000);
    assert_int_equal(plan.segments[2].file_offset, 0x1810);
    assert_int_equal(plan.segments[2].file_size_bytes, 0x30);
}

static void test_segments_in_any_order_are_sorted(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    uint8_t first[56];
    uint8_t *text = elf.bytes + synthetic_elf_segment(SYNTHETIC_TEXT, 0);
    uint8_t *data = elf.bytes + synthetic_elf_segment(SYNTHETIC_DATA, 0);
    memcpy(first, text, sizeof(first));
    memcpy(text, data, sizeof(first));
    memcpy(data, first, sizeof(first));
    struct elf_plan plan = plan_good(&elf);
    for (unsigned i = 1; i < plan.segment_count; i++)
        assert_true(plan.segments[i - 1].memory.start.value < plan.segments[i].memory.start.value);
    assert_int_equal(plan.image.start.value, BASE);
}

/* The largest alignment of a segment is the image's; below a page it is a page. */
static void test_alignment_of_the_image(void **state)
{
    (void)state;
    static const struct {
        uint64_t text, data, image;
    } CASES[] = {
        {0, 0, 0x1000},
        {1, 16, 0x1000},
        {0x1000, 16, 0x1000},
        {0x400, 16, 0x1000},
        {UINT64_C(1) << 21, 16, UINT64_C(1) << 21},
        {UINT64_C(1) << 30, 0, UINT64_C(1) << 30},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct synthetic_elf elf;
        synthetic_elf_create(&elf);
        /* The text begins at BASE, so its offset 0 agrees with every alignment. */
        synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_TEXT, P_OFFSET), 0);
        synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_TEXT, P_ALIGN), CASES[i].text);
        synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_DATA, P_ALIGN), CASES[i].data);
        assert_int_equal(plan_good(&elf).alignment_bytes, CASES[i].image);
    }
}

static void test_E1_identification(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    for (size_t i = 0; i < 4; i++) {
        synthetic_elf_create(&elf);
        elf.bytes[i] ^= 1;
        assert_refused(&elf, ELF_BAD_MAGIC);
    }
    synthetic_elf_create(&elf);
    elf.bytes[E_CLASS] = 1;
    assert_refused(&elf, ELF_NOT_64_BIT);
    synthetic_elf_create(&elf);
    elf.bytes[E_DATA] = 2;
    assert_refused(&elf, ELF_NOT_LITTLE_ENDIAN);
    synthetic_elf_create(&elf);
    elf.bytes[E_IDENT_VERSION] = 0;
    assert_refused(&elf, ELF_BAD_VERSION);
    synthetic_elf_create(&elf);
    synthetic_elf_set32(&elf, E_VERSION, 2);
    assert_refused(&elf, ELF_BAD_VERSION);
    elf = with_header16(E_MACHINE, 3);
    assert_refused(&elf, ELF_OTHER_MACHINE);
    elf = with_header16(E_MACHINE, 183);
    assert_refused(&elf, ELF_OTHER_MACHINE);
    struct elf_plan plan;
    assert_int_equal(elf_plan_of_file(elf.bytes, sizeof(elf.bytes), HANDOFF_MACHINE_AARCH64, &plan),
                     ELF_OK);
    elf = with_header16(E_TYPE, 1);
    assert_refused(&elf, ELF_NOT_EXECUTABLE);
    elf = with_header16(E_TYPE, 4);
    assert_refused(&elf, ELF_NOT_EXECUTABLE);
    elf = with_header16(E_EHSIZE, 52);
    assert_refused(&elf, ELF_BAD_HEADER_SIZE);
}

static void test_E2_program_header_size(void **state)
{
    (void)state;
    static const uint16_t BAD[] = {0, 32, 55, 57, 64, 0xffff};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct synthetic_elf elf = with_header16(E_PHENTSIZE, BAD[i]);
        assert_refused(&elf, ELF_BAD_HEADER_SIZE);
    }
}

static void test_E3_no_program_headers(void **state)
{
    (void)state;
    struct synthetic_elf elf = with_header16(E_PHNUM, 0);
    assert_refused(&elf, ELF_NO_PROGRAM_HEADERS);
}

static void test_E4_extended_numbering(void **state)
{
    (void)state;
    struct synthetic_elf elf = with_header16(E_PHNUM, 0xffff);
    assert_refused(&elf, ELF_TOO_MANY_HEADERS);
}

static void test_E5_program_headers_out_of_file(void **state)
{
    (void)state;
    static const uint64_t BAD[] = {SYNTHETIC_ELF_SIZE_BYTES - 4 * 56 + 1,
                                   SYNTHETIC_ELF_SIZE_BYTES,
                                   SYNTHETIC_ELF_SIZE_BYTES + 1,
                                   UINT64_C(1) << 63,
                                   UINT64_MAX - 4 * 56 + 1,
                                   UINT64_MAX};
    struct synthetic_elf elf;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        synthetic_elf_create(&elf);
        synthetic_elf_set64(&elf, E_PHOFF, BAD[i]);
        assert_refused(&elf, ELF_HEADERS_OUT_OF_FILE);
    }
    elf = with_header16(E_PHNUM, 0xfffe);
    assert_refused(&elf, ELF_HEADERS_OUT_OF_FILE);
}

static void test_program_headers_at_the_very_end_of_the_file(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    uint8_t longer[SYNTHETIC_ELF_SIZE_BYTES + 4 * 56];
    synthetic_elf_set64(&elf, E_PHOFF, SYNTHETIC_ELF_SIZE_BYTES);
    memcpy(longer, elf.bytes, sizeof(elf.bytes));
    memcpy(longer + sizeof(elf.bytes), elf.bytes + 64, 4 * 56);
    struct elf_plan plan;
    assert_int_equal(plan_bytes(longer, sizeof(longer), &plan), ELF_OK);
}

static void test_E6_file_offset_wraps(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_TEXT, P_OFFSET, UINT64_MAX, ELF_SEGMENT_OUT_OF_FILE);
    assert_segment_refused(SYNTHETIC_TEXT, P_OFFSET, UINT64_MAX - 0x3f, ELF_SEGMENT_OUT_OF_FILE);
    assert_segment_refused(SYNTHETIC_TEXT, P_FILESZ, UINT64_MAX, ELF_SEGMENT_OUT_OF_FILE);
    assert_segment_refused(SYNTHETIC_TEXT, P_FILESZ, 0 - UINT64_C(0x1000), ELF_SEGMENT_OUT_OF_FILE);
}

static void test_E7_segment_beyond_the_file(void **state)
{
    (void)state;
    struct synthetic_elf elf = with_segment(SYNTHETIC_DATA, P_FILESZ, 0x30);
    plan_good(&elf); /* the segment ends exactly with the file */
    assert_segment_refused(SYNTHETIC_DATA, P_FILESZ, 0x31, ELF_SEGMENT_OUT_OF_FILE);
    assert_segment_refused(SYNTHETIC_DATA, P_OFFSET, 0x1c10, ELF_SEGMENT_OUT_OF_FILE);
}

static void test_E8_file_size_above_memory_size(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_TEXT, P_MEMSZ, 0x3f, ELF_FILE_SIZE_ABOVE_MEMORY_SIZE);
    assert_segment_refused(SYNTHETIC_TEXT, P_MEMSZ, 0, ELF_FILE_SIZE_ABOVE_MEMORY_SIZE);
}

static void test_E9_address_wraps(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_DATA, P_MEMSZ, UINT64_MAX, ELF_ADDRESS_WRAPS);
    assert_segment_refused(SYNTHETIC_DATA, P_MEMSZ, 0 - (BASE + 0x2010), ELF_ADDRESS_WRAPS);
    /* The segment ends in the last page: rounding up would wrap. */
    assert_segment_refused(SYNTHETIC_DATA, P_VADDR, 0 - UINT64_C(0x3ff0), ELF_ADDRESS_WRAPS);
}

static void test_E10_memory_size_above_the_cap(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_DATA, P_MEMSZ, ELF_IMAGE_LIMIT_BYTES + 1, ELF_IMAGE_TOO_LARGE);
    assert_segment_refused(SYNTHETIC_DATA, P_MEMSZ, ELF_IMAGE_LIMIT_BYTES, ELF_IMAGE_TOO_LARGE);
    /* Two small segments with a large distance. */
    assert_segment_refused(SYNTHETIC_DATA, P_VADDR, BASE + ELF_IMAGE_LIMIT_BYTES + 0x10,
                           ELF_IMAGE_TOO_LARGE);
    struct synthetic_elf elf =
        with_segment(SYNTHETIC_DATA, P_MEMSZ, ELF_IMAGE_LIMIT_BYTES - 0x2010);
    assert_int_equal(virt_range_size_bytes(plan_good(&elf).image), ELF_IMAGE_LIMIT_BYTES);
}

static void test_E11_alignment(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_TEXT, P_ALIGN, 3, ELF_BAD_ALIGNMENT);
    assert_segment_refused(SYNTHETIC_TEXT, P_ALIGN, 0x1001, ELF_BAD_ALIGNMENT);
    assert_segment_refused(SYNTHETIC_TEXT, P_ALIGN, UINT64_C(1) << 31, ELF_BAD_ALIGNMENT);
    assert_segment_refused(SYNTHETIC_TEXT, P_ALIGN, UINT64_C(1) << 63, ELF_BAD_ALIGNMENT);
    assert_segment_refused(SYNTHETIC_TEXT, P_ALIGN, UINT64_MAX, ELF_BAD_ALIGNMENT);
    for (uint64_t none = 0; none <= 1; none++) {
        struct synthetic_elf elf = with_segment(SYNTHETIC_TEXT, P_ALIGN, none);
        plan_good(&elf);
    }
}

static void test_E12_incongruent(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_DATA, P_OFFSET, 0x1800, ELF_INCONGRUENT);
    assert_segment_refused(SYNTHETIC_DATA, P_ALIGN, 0x1000, ELF_INCONGRUENT);
}

static void test_E13_overlap_is_refused(void **state)
{
    (void)state;
    /* rodata overlaps a part of text, is inside of data, is identical to text */
    struct synthetic_elf elf = with_segment(SYNTHETIC_TEXT, P_MEMSZ, 0x1001);
    assert_refused(&elf, ELF_SEGMENTS_OVERLAP);
    assert_segment_refused(SYNTHETIC_RODATA, P_VADDR, BASE + 0x3000, ELF_SEGMENTS_OVERLAP);
    assert_segment_refused(SYNTHETIC_RODATA, P_VADDR, BASE, ELF_SEGMENTS_OVERLAP);
    elf = with_segment(SYNTHETIC_RODATA, P_VADDR, BASE);
    synthetic_elf_set32(&elf, synthetic_elf_segment(SYNTHETIC_RODATA, P_FLAGS), 5);
    assert_refused(&elf, ELF_SEGMENTS_OVERLAP);
}

static void test_E14_two_permissions_in_one_page(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_RODATA, P_VADDR, BASE + 0x400, ELF_PAGE_WITH_TWO_PERMISSIONS);
    struct synthetic_elf elf = with_segment(SYNTHETIC_RODATA, P_VADDR, BASE + 0x400);
    synthetic_elf_set32(&elf, synthetic_elf_segment(SYNTHETIC_RODATA, P_FLAGS), 5);
    plan_good(&elf); /* two segments with the same permissions may share a page */
}

static void test_E15_writable_executable(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_TEXT, P_FLAGS, 7, ELF_WRITABLE_EXECUTABLE);
    assert_segment_refused(SYNTHETIC_DATA, P_FLAGS, 3, ELF_WRITABLE_EXECUTABLE);
}

static void test_E16_lower_half(void **state)
{
    (void)state;
    static const uint64_t BAD[] = {0,
                                   0x100000,
                                   UINT64_C(0x00007ffffffff000),
                                   UINT64_C(0x0000800000000000),
                                   UINT64_C(0xffff7ffffffff000),
                                   UINT64_C(0xffff800000000000),
                                   BASE - 0x400};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_segment_refused(SYNTHETIC_TEXT, P_VADDR, BAD[i], ELF_LOWER_HALF);
    /* The segment begins below the limit and ends above it. */
    struct synthetic_elf elf = with_segment(SYNTHETIC_TEXT, P_VADDR, BASE - 0x400);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_TEXT, P_MEMSZ), 0x800);
    assert_refused(&elf, ELF_LOWER_HALF);
}

static void test_E17_entry(void **state)
{
    (void)state;
    static const uint64_t BAD[] = {
        0, BASE - 1, BASE + 0x40, BASE + 0xfff, BASE + 0x1000, BASE + 0x2010, UINT64_MAX};
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        synthetic_elf_set64(&elf, E_ENTRY, BAD[i]);
        assert_refused(&elf, ELF_BAD_ENTRY);
    }
    synthetic_elf_set64(&elf, E_ENTRY, BASE + 0x3f);
    plan_good(&elf);
    /* The entry is in the zeros after the file's bytes of an executable segment. */
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_TEXT, P_MEMSZ), 0x100);
    synthetic_elf_set64(&elf, E_ENTRY, BASE + 0x40);
    assert_refused(&elf, ELF_BAD_ENTRY);
}

static void test_E18_nothing_to_load_and_empty_segments(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    for (unsigned i = 0; i < SYNTHETIC_ELF_HEADER_COUNT; i++)
        synthetic_elf_set32(&elf, synthetic_elf_segment(i, P_TYPE), 4); /* PT_NOTE */
    assert_refused(&elf, ELF_NOTHING_TO_LOAD);

    synthetic_elf_create(&elf); /* an empty segment is skipped, with any address */
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_RODATA, P_FILESZ), 0);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_RODATA, P_MEMSZ), 0);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_RODATA, P_VADDR), 0);
    assert_int_equal(plan_good(&elf).segment_count, 2);
}

/* The gABI gives the offset no meaning if a segment has no bytes in the file. Linkers write the
 * offset that the bytes would have, and this may be after the end of the file. */
static void test_offset_of_a_segment_without_bytes_in_the_file_is_not_read(void **state)
{
    (void)state;
    static const uint64_t OFFSETS[] = {0,
                                       0x1810,
                                       0x1811, /* does not agree with the address */
                                       SYNTHETIC_ELF_SIZE_BYTES,
                                       SYNTHETIC_ELF_SIZE_BYTES + 1,
                                       UINT64_C(1) << 63,
                                       UINT64_MAX};
    for (size_t i = 0; i < sizeof(OFFSETS) / sizeof(OFFSETS[0]); i++) {
        struct synthetic_elf elf = with_segment(SYNTHETIC_DATA, P_OFFSET, OFFSETS[i]);
        synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_DATA, P_FILESZ), 0);
        struct elf_plan plan = plan_good(&elf);
        assert_int_equal(plan.segment_count, 3);
        assert_int_equal(virt_range_size_bytes(plan.segments[2].memory), 0x3000);
        assert_int_equal(plan.segments[2].file_offset, 0);
        const char *problem = elf_load_problem(&plan, elf.bytes);
        if (problem != NULL)
            fail_msg("%s", problem);
    }
}

/* All other fields of such a segment have a meaning. */
static void test_segment_without_bytes_in_the_file_is_checked(void **state)
{
    (void)state;
    static const struct {
        size_t field;
        uint64_t value;
        enum elf_status expected;
    } BAD[] = {
        {P_ALIGN, 0x300, ELF_BAD_ALIGNMENT},
        {P_VADDR, 0x2010, ELF_LOWER_HALF},
        {P_FLAGS, 7, ELF_WRITABLE_EXECUTABLE},
        {P_VADDR, BASE, ELF_SEGMENTS_OVERLAP},
        {P_VADDR, BASE + 0x1800, ELF_PAGE_WITH_TWO_PERMISSIONS},
        {P_MEMSZ, UINT64_MAX, ELF_ADDRESS_WRAPS},
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct synthetic_elf elf = with_segment(SYNTHETIC_DATA, BAD[i].field, BAD[i].value);
        synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_DATA, P_FILESZ), 0);
        synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_DATA, P_OFFSET), UINT64_MAX);
        assert_refused(&elf, BAD[i].expected);
    }
}

static void test_fields_without_a_meaning_are_not_read(void **state)
{
    (void)state;
    /* PT_NULL, PT_NOTE, PT_SHLIB, PT_PHDR, PT_TLS, PT_GNU_EH_FRAME, PT_GNU_STACK, PT_GNU_RELRO */
    static const uint32_t OTHER_TYPES[] = {0, 4, 5, 6, 7, 0x6474e550, 0x6474e551, 0x6474e552};
    for (size_t i = 0; i < sizeof(OTHER_TYPES) / sizeof(OTHER_TYPES[0]); i++) {
        struct synthetic_elf elf;
        synthetic_elf_create(&elf);
        memset(elf.bytes + 7, 0xee, 9);                            /* OS, its version, padding */
        memset(elf.bytes + E_PHOFF + 8, 0xee, 12);                 /* section headers, flags */
        memset(elf.bytes + E_PHNUM + 2, 0xee, 6);                  /* section headers */
        memset(elf.bytes + synthetic_elf_segment(3, 0), 0xee, 56); /* a segment of another type */
        memset(elf.bytes + synthetic_elf_segment(1, 0), 0xee, 56); /* an empty segment */
        synthetic_elf_set32(&elf, synthetic_elf_segment(3, P_TYPE), OTHER_TYPES[i]);
        synthetic_elf_set32(&elf, synthetic_elf_segment(1, P_TYPE), 1);
        synthetic_elf_set64(&elf, synthetic_elf_segment(1, P_FILESZ), 0);
        synthetic_elf_set64(&elf, synthetic_elf_segment(1, P_MEMSZ), 0);
        assert_int_equal(plan_good(&elf).segment_count, 2);
    }
}

/* The plan has them as the file has them: bootloader/pure/elf_note.h checks them. */
static void test_segments_with_notes_are_in_the_plan(void **state)
{
    (void)state;
    struct synthetic_elf elf = with_segment(SYNTHETIC_STACK, P_TYPE, 4);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_OFFSET), UINT64_MAX);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_FILESZ), 77);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_ALIGN), 3);
    struct elf_plan plan = plan_good(&elf);
    assert_int_equal(plan.note_count, 1);
    assert_true(plan.notes[0].file_offset == UINT64_MAX);
    assert_int_equal(plan.notes[0].size_bytes, 77);
    assert_int_equal(plan.notes[0].alignment_bytes, 3);
    assert_int_equal(plan.segment_count, 3);
}

/* All are counted, so that the caller can refuse them. */
static void test_more_segments_with_notes_than_the_plan_holds(void **state)
{
    (void)state;
    enum { HEADER_COUNT = 3 + 2 * ELF_NOTE_SEGMENT_LIMIT };
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    synthetic_elf_set16(&elf, E_PHNUM, HEADER_COUNT);
    for (unsigned n = SYNTHETIC_STACK; n < HEADER_COUNT; n++) {
        memset(elf.bytes + synthetic_elf_segment(n, 0), 0, 56);
        synthetic_elf_set32(&elf, synthetic_elf_segment(n, P_TYPE), 4);
        synthetic_elf_set64(&elf, synthetic_elf_segment(n, P_FILESZ), n);
    }
    struct elf_plan plan = plan_good(&elf);
    assert_int_equal(plan.note_count, 2 * ELF_NOTE_SEGMENT_LIMIT);
    for (unsigned i = 0; i < ELF_NOTE_SEGMENT_LIMIT; i++)
        assert_int_equal(plan.notes[i].size_bytes, SYNTHETIC_STACK + i);
}

static void test_E19_interpreter_and_dynamic(void **state)
{
    (void)state;
    assert_segment_refused(SYNTHETIC_STACK, P_TYPE, 3, ELF_NEEDS_INTERPRETER);
    assert_segment_refused(SYNTHETIC_STACK, P_TYPE, 2, ELF_NEEDS_RELOCATION);
}

/* --- Static PIE --- */

#define DYNAMIC_SIZE_BYTES 0x20

/* The file as a PIE, linked at `base`. The last header becomes PT_DYNAMIC. */
static struct synthetic_elf as_pie(uint64_t base)
{
    struct synthetic_elf elf = with_segment(SYNTHETIC_STACK, P_TYPE, 2);
    synthetic_elf_set16(&elf, E_TYPE, 3);
    synthetic_elf_set64(&elf, E_ENTRY, base + 0x10);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_TEXT, P_VADDR), base);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_RODATA, P_VADDR), base + 0x1000);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_DATA, P_VADDR), base + 0x2010);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_VADDR), base + 0x2010);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_FILESZ), DYNAMIC_SIZE_BYTES);
    return elf;
}

static void test_pie_is_linked_anywhere(void **state)
{
    (void)state;
    static const uint64_t BASES[] = {0, 0x400000, UINT64_C(0x900000000000), BASE,
                                     0xffffffffffff0000};
    for (size_t i = 0; i < sizeof(BASES) / sizeof(BASES[0]); i++) {
        struct synthetic_elf elf = as_pie(BASES[i]);
        struct elf_plan plan = plan_good(&elf);
        assert_true(plan.is_relocatable);
        assert_int_equal(plan.slide, 0);
        assert_int_equal(plan.image.start.value, BASES[i]);
        assert_int_equal(plan.entry.value, BASES[i] + 0x10);
        assert_int_equal(plan.dynamic.start.value, BASES[i] + 0x2010);
        assert_int_equal(virt_range_size_bytes(plan.dynamic), DYNAMIC_SIZE_BYTES);
    }
}

static void test_executable_is_not_relocatable(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    struct elf_plan plan = plan_good(&elf);
    assert_false(plan.is_relocatable);
    assert_true(virt_range_is_empty(plan.dynamic));
}

static void test_pie_without_one_dynamic_section_is_refused(void **state)
{
    (void)state;
    struct synthetic_elf elf = as_pie(0);
    synthetic_elf_set32(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_TYPE), 0x6474e551);
    assert_refused(&elf, ELF_NO_DYNAMIC);
    elf = as_pie(0);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_FILESZ), 0);
    assert_refused(&elf, ELF_NO_DYNAMIC);
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_FILESZ), UINT64_MAX);
    assert_refused(&elf, ELF_NO_DYNAMIC);
    elf = as_pie(0);
    synthetic_elf_set32(&elf, synthetic_elf_segment(SYNTHETIC_RODATA, P_TYPE), 2);
    assert_refused(&elf, ELF_NEEDS_RELOCATION);
    elf = as_pie(0);
    synthetic_elf_set32(&elf, synthetic_elf_segment(SYNTHETIC_STACK, P_TYPE), 3);
    assert_refused(&elf, ELF_NEEDS_INTERPRETER);
    elf = as_pie(0xfffffffffffff000);
    assert_refused(&elf, ELF_ADDRESS_WRAPS);
}

static void test_too_many_segments(void **state)
{
    (void)state;
    uint8_t file[0x2000] = {0};
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    for (unsigned count = ELF_SEGMENT_LIMIT; count <= ELF_SEGMENT_LIMIT + 1; count++) {
        synthetic_elf_set16(&elf, E_PHNUM, (uint16_t)count);
        memcpy(file, elf.bytes, 64 + 56);
        for (unsigned i = 1; i < count; i++) {
            uint64_t address = BASE + i * 0x1000;
            memcpy(file + synthetic_elf_segment(i, 0), elf.bytes + 64, 56);
            memcpy(file + synthetic_elf_segment(i, P_VADDR), &address, sizeof(address));
        }
        struct elf_plan plan;
        enum elf_status status = plan_bytes(file, sizeof(file), &plan);
        assert_int_equal(status, count <= ELF_SEGMENT_LIMIT ? ELF_OK : ELF_TOO_MANY_SEGMENTS);
    }
}

static void assert_no_problem(const char *problem)
{
    if (problem != NULL)
        fail_msg("%s", problem);
}

static void test_E20_dirty_memory_is_zeroed(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    struct elf_plan plan = plan_good(&elf);
    assert_no_problem(elf_load_problem(&plan, elf.bytes));

    /* The first segment does not begin at a page boundary. */
    synthetic_elf_set64(&elf, synthetic_elf_segment(SYNTHETIC_TEXT, P_VADDR), BASE + 0x400);
    synthetic_elf_set64(&elf, E_ENTRY, BASE + 0x400);
    plan = plan_good(&elf);
    assert_int_equal(plan.image.start.value, BASE);
    assert_no_problem(elf_load_problem(&plan, elf.bytes));
}

static void test_E21_physical_address_is_ignored(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    struct elf_plan expected = plan_good(&elf);
    for (unsigned i = 0; i < 3; i++)
        synthetic_elf_set64(&elf, synthetic_elf_segment(i, P_PADDR), UINT64_MAX - i);
    struct elf_plan plan = plan_good(&elf);
    assert_memory_equal(&plan, &expected, sizeof(plan));
}

static void test_E22_truncation_at_every_byte(void **state)
{
    (void)state;
    struct synthetic_elf elf;
    synthetic_elf_create(&elf);
    for (size_t size_bytes = 0; size_bytes < sizeof(elf.bytes); size_bytes++) {
        struct elf_plan plan;
        enum elf_status status = plan_bytes(elf.bytes, size_bytes, &plan);
        if (size_bytes < 64)
            assert_int_equal(status, ELF_TOO_SHORT);
        else if (size_bytes < SYNTHETIC_ELF_HEADERS_END)
            assert_int_equal(status, ELF_HEADERS_OUT_OF_FILE);
        else
            assert_int_equal(status, ELF_SEGMENT_OUT_OF_FILE);
    }
}

static void test_E23_single_bit_flips_of_the_headers(void **state)
{
    (void)state;
    unsigned refused_count = 0;
    for (size_t bit = 0; bit < SYNTHETIC_ELF_HEADERS_END * 8; bit++) {
        struct synthetic_elf elf;
        struct elf_plan plan;
        synthetic_elf_create(&elf);
        elf.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (plan_bytes(elf.bytes, sizeof(elf.bytes), &plan) != ELF_OK) {
            refused_count++;
            continue;
        }
        assert_no_problem(elf_plan_problem(&plan, sizeof(elf.bytes)));
        assert_no_problem(elf_load_problem(&plan, elf.bytes));
    }
    assert_true(refused_count > 500);
}

/* A plan of three segments at pages 0, 2 and 4. The second one ends 8 bytes before the third. */
static struct elf_plan plan_of_neighbours(void)
{
    return (struct elf_plan){
        .image = {{BASE}, {BASE + 0x6000}},
        .segment_count = 3,
        .segments = {{{{BASE + 0x10}, {BASE + 0x2000}}, 0x1010, 0x1000, false, true, 0},
                     {{{BASE + 0x2000}, {BASE + 0x3ff8}}, 0x3000, 0x1ff8, false, false, 1},
                     {{{BASE + 0x4000}, {BASE + 0x6000}}, 0x5000, 0x20, true, false, 2}},
    };
}

static void assert_read(const struct elf_plan *plan, unsigned first, unsigned expected_next,
                        struct elf_read expected)
{
    struct elf_read read;
    assert_int_equal(elf_next_read(plan, first, &read), expected_next);
    assert_int_equal(read.file_offset, expected.file_offset);
    assert_int_equal(read.place, expected.place);
    assert_int_equal(read.size_bytes, expected.size_bytes);
}

static void test_neighbours_are_read_together(void **state)
{
    (void)state;
    struct elf_plan plan = plan_of_neighbours();
    assert_read(&plan, 0, 3, (struct elf_read){0x1010, 0x10, 0x4010});
    assert_read(&plan, 1, 3, (struct elf_read){0x3000, 0x2000, 0x2020});
    /* A whole page between two segments is not read. */
    plan.segments[0].file_size_bytes = 0xff0;
    assert_read(&plan, 0, 1, (struct elf_read){0x1010, 0x10, 0xff0});
    plan.segments[0].file_size_bytes = 0xff1;
    assert_read(&plan, 0, 3, (struct elf_read){0x1010, 0x10, 0x4010});
}

static void test_segment_at_another_distance_has_its_own_read(void **state)
{
    (void)state;
    struct elf_plan plan = plan_of_neighbours();
    plan.segments[1].file_offset = 0x2000;
    assert_read(&plan, 0, 1, (struct elf_read){0x1010, 0x10, 0x1000});
    assert_read(&plan, 1, 2, (struct elf_read){0x2000, 0x2000, 0x1ff8});
    plan.segments[1].file_offset = 0x4000;
    assert_read(&plan, 0, 1, (struct elf_read){0x1010, 0x10, 0x1000});
    assert_read(&plan, 1, 2, (struct elf_read){0x4000, 0x2000, 0x1ff8});
}

/* Offset 0 of such a segment is no place in the file. */
static void test_segment_without_bytes_in_the_file_is_not_read(void **state)
{
    (void)state;
    struct elf_plan plan = plan_of_neighbours();
    plan.segments[1].file_offset = 0;
    plan.segments[1].file_size_bytes = 0;
    assert_read(&plan, 0, 1, (struct elf_read){0x1010, 0x10, 0x1000});
    assert_read(&plan, 1, 2, (struct elf_read){0, 0x2000, 0});
    assert_read(&plan, 2, 3, (struct elf_read){0x5000, 0x4000, 0x20});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_file),
        cmocka_unit_test(test_segments_in_any_order_are_sorted),
        cmocka_unit_test(test_alignment_of_the_image),
        cmocka_unit_test(test_E1_identification),
        cmocka_unit_test(test_E2_program_header_size),
        cmocka_unit_test(test_E3_no_program_headers),
        cmocka_unit_test(test_E4_extended_numbering),
        cmocka_unit_test(test_E5_program_headers_out_of_file),
        cmocka_unit_test(test_program_headers_at_the_very_end_of_the_file),
        cmocka_unit_test(test_E6_file_offset_wraps),
        cmocka_unit_test(test_E7_segment_beyond_the_file),
        cmocka_unit_test(test_E8_file_size_above_memory_size),
        cmocka_unit_test(test_E9_address_wraps),
        cmocka_unit_test(test_E10_memory_size_above_the_cap),
        cmocka_unit_test(test_E11_alignment),
        cmocka_unit_test(test_E12_incongruent),
        cmocka_unit_test(test_E13_overlap_is_refused),
        cmocka_unit_test(test_E14_two_permissions_in_one_page),
        cmocka_unit_test(test_E15_writable_executable),
        cmocka_unit_test(test_E16_lower_half),
        cmocka_unit_test(test_E17_entry),
        cmocka_unit_test(test_E18_nothing_to_load_and_empty_segments),
        cmocka_unit_test(test_offset_of_a_segment_without_bytes_in_the_file_is_not_read),
        cmocka_unit_test(test_segment_without_bytes_in_the_file_is_checked),
        cmocka_unit_test(test_fields_without_a_meaning_are_not_read),
        cmocka_unit_test(test_segments_with_notes_are_in_the_plan),
        cmocka_unit_test(test_more_segments_with_notes_than_the_plan_holds),
        cmocka_unit_test(test_E19_interpreter_and_dynamic),
        cmocka_unit_test(test_pie_is_linked_anywhere),
        cmocka_unit_test(test_executable_is_not_relocatable),
        cmocka_unit_test(test_pie_without_one_dynamic_section_is_refused),
        cmocka_unit_test(test_too_many_segments),
        cmocka_unit_test(test_E20_dirty_memory_is_zeroed),
        cmocka_unit_test(test_E21_physical_address_is_ignored),
        cmocka_unit_test(test_E22_truncation_at_every_byte),
        cmocka_unit_test(test_E23_single_bit_flips_of_the_headers),
        cmocka_unit_test(test_neighbours_are_read_together),
        cmocka_unit_test(test_segment_at_another_distance_has_its_own_read),
        cmocka_unit_test(test_segment_without_bytes_in_the_file_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
