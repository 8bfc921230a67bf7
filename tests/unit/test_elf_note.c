/*
 * test_elf_note.c - the notes in a kernel's file: every type, every size, every cut.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/elf_note.h"
#include "shared/handoff.h"

#define KNOWN_TYPE_LAST HANDOFF_NOTE_CHECKSUM
#define NOTE_BYTES      sizeof(struct handoff_note)
/* In the file. */
#define SEGMENT_OFFSET 0x1234

/* As a kernel has them. */
HANDOFF_NOTE(HANDOFF_NOTE_VERSION, HANDOFF_NOTE_VERSION_VALUE(2, 7));
HANDOFF_NOTE(HANDOFF_NOTE_DIRECT_MAP_LIMIT, UINT64_C(0x123456789abcdef0));

struct notes {
    uint8_t bytes[512];
    size_t size_bytes;
};

static void add(struct notes *notes, const char *name, uint32_t name_size, uint32_t type,
                const void *value, uint32_t value_size, size_t alignment)
{
    const uint32_t header[3] = {name_size, value_size, type};
    memcpy(notes->bytes + notes->size_bytes, header, sizeof(header));
    notes->size_bytes += sizeof(header);
    memcpy(notes->bytes + notes->size_bytes, name, name_size);
    notes->size_bytes = (notes->size_bytes + name_size + alignment - 1) & ~(alignment - 1);
    memcpy(notes->bytes + notes->size_bytes, value, value_size);
    notes->size_bytes = (notes->size_bytes + value_size + alignment - 1) & ~(alignment - 1);
}

static void add_ours(struct notes *notes, uint32_t type, uint64_t value, size_t alignment)
{
    add(notes, "Handoff", 8, type, &value, sizeof(value), alignment);
}

/* Read a copy of exactly this size at an odd address, so that the sanitizers find every read past
 * the end. */
static enum elf_note_status read_bytes(const void *bytes, size_t size_bytes, uint64_t alignment,
                                       struct kernel_demands *ret_demands)
{
    uint8_t *block = malloc(size_bytes + 1);
    struct elf_note_segment segment = {SEGMENT_OFFSET, size_bytes, alignment};
    assert_non_null(block);
    memcpy(block + 1, bytes, size_bytes);
    kernel_demands_set_defaults(ret_demands);
    enum elf_note_status status = elf_note_read(block + 1, &segment, ret_demands);
    free(block);
    return status;
}

static enum elf_note_status read_notes(const struct notes *notes, uint64_t alignment,
                                       struct kernel_demands *ret_demands)
{
    return read_bytes(notes->bytes, notes->size_bytes, alignment, ret_demands);
}

static void assert_defaults(const struct kernel_demands *demands)
{
    struct kernel_demands defaults;
    kernel_demands_set_defaults(&defaults);
    assert_memory_equal(demands, &defaults, sizeof(defaults));
}

static void test_kernel_without_notes_has_the_defaults(void **state)
{
    (void)state;
    struct kernel_demands demands;
    struct notes none = {.size_bytes = 0};
    assert_int_equal(read_notes(&none, 4, &demands), ELF_NOTE_OK);
    assert_defaults(&demands);
    assert_int_equal(demands.stated, 0);
    assert_int_equal(demands.levels, HANDOFF_LEVELS_FOUR | HANDOFF_LEVELS_FIVE);
    assert_int_equal(demands.stack_size_bytes, 0);
    assert_true(demands.direct_map_limit == UINT64_MAX);
    assert_int_equal(demands.needs, 0);
}

static void test_macro_makes_what_is_read(void **state)
{
    (void)state;
    struct kernel_demands demands;
    assert_int_equal(read_bytes(&note_of_HANDOFF_NOTE_VERSION, NOTE_BYTES, 4, &demands),
                     ELF_NOTE_OK);
    assert_int_equal(demands.stated, 1u << HANDOFF_NOTE_VERSION);
    assert_int_equal(demands.version_major, 2);
    assert_int_equal(demands.version_minor, 7);
    assert_int_equal(read_bytes(&note_of_HANDOFF_NOTE_DIRECT_MAP_LIMIT, NOTE_BYTES, 4, &demands),
                     ELF_NOTE_OK);
    assert_true(demands.direct_map_limit == UINT64_C(0x123456789abcdef0));
}

/* Only 8 has a meaning of its own. */
static void test_every_type_with_every_alignment(void **state)
{
    (void)state;
    static const uint64_t ALIGNMENTS[] = {0, 1, 2, 3, 4, 8, 16, 4096, UINT64_MAX};
    for (size_t i = 0; i < 9; i++) {
        size_t alignment = ALIGNMENTS[i] == 8 ? 8 : 4;
        struct kernel_demands demands;
        struct notes notes = {.size_bytes = 0};
        add_ours(&notes, HANDOFF_NOTE_NEEDS, 3, alignment);
        add_ours(&notes, HANDOFF_NOTE_STACK, 0x12345, alignment);
        add_ours(&notes, HANDOFF_NOTE_LEVELS, 0x30, alignment);
        add_ours(&notes, HANDOFF_NOTE_VERSION, 0x00050004, alignment);
        add_ours(&notes, HANDOFF_NOTE_DIRECT_MAP_LIMIT, UINT64_C(1) << 40, alignment);
        add_ours(&notes, HANDOFF_NOTE_CHECKSUM, UINT64_C(0xfedcba9876543210), alignment);
        assert_int_equal(read_notes(&notes, ALIGNMENTS[i], &demands), ELF_NOTE_OK);
        assert_int_equal(demands.stated, 0x7e);
        assert_int_equal(demands.needs, 3);
        assert_int_equal(demands.stack_size_bytes, 0x12345);
        assert_int_equal(demands.levels, 0x30);
        assert_int_equal(demands.version_major, 4);
        assert_int_equal(demands.version_minor, 5);
        assert_true(demands.direct_map_limit == UINT64_C(1) << 40);
        assert_true(demands.checksum == UINT64_C(0xfedcba9876543210));
        assert_int_equal(demands.checksum_offset, SEGMENT_OFFSET + notes.size_bytes - 8);
    }
}

static void test_N5_unknown_type_is_ignored(void **state)
{
    (void)state;
    static const uint32_t TYPES[] = {0, KNOWN_TYPE_LAST + 1, 31, 32, 33, UINT32_MAX};
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        struct kernel_demands demands;
        struct notes notes = {.size_bytes = 0};
        add(&notes, "Handoff", 8, TYPES[i], "odd", 3, 4);
        add(&notes, "Handoff", 8, TYPES[i], "", 0, 4);
        assert_int_equal(read_notes(&notes, 4, &demands), ELF_NOTE_OK);
        assert_defaults(&demands);
        add_ours(&notes, HANDOFF_NOTE_STACK, 77, 4);
        assert_int_equal(read_notes(&notes, 4, &demands), ELF_NOTE_OK);
        assert_int_equal(demands.stack_size_bytes, 77);
    }
}

static void test_notes_of_other_owners_are_ignored(void **state)
{
    (void)state;
    struct kernel_demands demands;
    struct notes notes = {.size_bytes = 0};
    add(&notes, "GNU", 4, 3, "0123456789abcdefghij", 20, 4); /* a build ID */
    add(&notes, "", 0, HANDOFF_NOTE_STACK, "x", 1, 4);
    add(&notes, "Handofg", 8, HANDOFF_NOTE_STACK, "x", 1, 4);
    add(&notes, "Handoff", 7, HANDOFF_NOTE_STACK, "x", 1, 4); /* the NUL is a part of the name */
    add(&notes, "Handoff\0", 9, HANDOFF_NOTE_STACK, "x", 1, 4);
    assert_int_equal(read_notes(&notes, 4, &demands), ELF_NOTE_OK);
    assert_defaults(&demands);
}

static void test_N5_wrong_size_is_an_error(void **state)
{
    (void)state;
    for (uint32_t type = HANDOFF_NOTE_VERSION; type <= KNOWN_TYPE_LAST; type++) {
        for (uint32_t size_bytes = 0; size_bytes <= 16; size_bytes++) {
            struct kernel_demands demands;
            struct notes notes = {.size_bytes = 0};
            add(&notes, "Handoff", 8, type, "0123456789abcdef", size_bytes, 4);
            assert_int_equal(read_notes(&notes, 4, &demands),
                             size_bytes == 8 ? ELF_NOTE_OK : ELF_NOTE_BAD_SIZE);
        }
    }
}

static void test_type_that_comes_twice_is_an_error(void **state)
{
    (void)state;
    for (uint32_t type = HANDOFF_NOTE_VERSION; type <= KNOWN_TYPE_LAST; type++) {
        struct kernel_demands demands;
        struct notes notes = {.size_bytes = 0};
        add_ours(&notes, type, 1, 4);
        add_ours(&notes, type, 1, 4);
        assert_int_equal(read_notes(&notes, 4, &demands), ELF_NOTE_REPEATED);
    }
}

/* Only the padding behind the last note may be missing. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    struct kernel_demands demands;
    struct notes notes = {.size_bytes = 0};
    add_ours(&notes, HANDOFF_NOTE_STACK, 1, 4);
    size_t first = notes.size_bytes;
    add(&notes, "GNU", 4, 3, "abcde", 5, 4);
    for (size_t size_bytes = 0; size_bytes <= notes.size_bytes; size_bytes++) {
        bool is_whole =
            size_bytes == 0 || size_bytes == first || size_bytes >= notes.size_bytes - 3;
        assert_int_equal(read_bytes(notes.bytes, size_bytes, 4, &demands),
                         is_whole ? ELF_NOTE_OK : ELF_NOTE_CUT);
    }
}

/* Linkers may fill the end of a segment. More zeros than that are notes without name and value. */
static void test_zeros_behind_the_last_note_are_padding(void **state)
{
    (void)state;
    struct kernel_demands demands;
    for (size_t zeros = 0; zeros <= 40; zeros++) {
        struct notes notes = {.size_bytes = 0};
        add_ours(&notes, HANDOFF_NOTE_STACK, 1, 4);
        notes.size_bytes += zeros;
        assert_int_equal(read_notes(&notes, 4, &demands), ELF_NOTE_OK);
        assert_int_equal(demands.stack_size_bytes, 1);
        if (zeros % 12 == 0)
            continue;
        notes.bytes[notes.size_bytes - 1] = 1;
        assert_int_equal(read_notes(&notes, 4, &demands), ELF_NOTE_CUT);
    }
}

static void test_sizes_that_would_wrap(void **state)
{
    (void)state;
    static const uint32_t SIZES[] = {UINT32_MAX, UINT32_MAX - 3, UINT32_MAX - 11, 0x80000000, 501};
    for (size_t i = 0; i < 5; i++) {
        for (size_t field = 0; field < 2; field++) {
            struct kernel_demands demands;
            struct notes notes = {.size_bytes = 0};
            add_ours(&notes, HANDOFF_NOTE_STACK, 1, 4);
            memcpy(notes.bytes + 4 * field, &SIZES[i], sizeof(SIZES[i]));
            assert_int_equal(read_notes(&notes, 4, &demands), ELF_NOTE_CUT);
        }
    }
}

static enum elf_note_status check(uint64_t offset, uint64_t size_bytes, uint64_t alignment)
{
    struct elf_plan plan = {.note_count = 2};
    plan.notes[0] = (struct elf_note_segment){0, 0, 4};
    plan.notes[1] = (struct elf_note_segment){offset, size_bytes, alignment};
    return elf_note_check_segments(&plan, 0x100000);
}

static void test_segments_are_checked_before_they_are_read(void **state)
{
    (void)state;
    assert_int_equal(check(0xffff0, 0x10, 4), ELF_NOTE_OK);
    assert_int_equal(check(0xffff1, 0x10, 4), ELF_NOTE_OUT_OF_FILE);
    assert_int_equal(check(0x100000, 0, 4), ELF_NOTE_OK);
    assert_int_equal(check(0x100001, 0, 4), ELF_NOTE_OUT_OF_FILE);
    assert_int_equal(check(UINT64_MAX, 2, 4), ELF_NOTE_OUT_OF_FILE);
    assert_int_equal(check(1, UINT64_MAX, 4), ELF_NOTE_OUT_OF_FILE);
    assert_int_equal(check(0, ELF_NOTE_LIMIT_BYTES, 4), ELF_NOTE_OK);
    assert_int_equal(check(0, ELF_NOTE_LIMIT_BYTES + 1, 4), ELF_NOTE_TOO_LARGE);
    assert_int_equal(check(0, 64, 3), ELF_NOTE_OK);
}

static void test_number_of_segments(void **state)
{
    (void)state;
    struct elf_plan plan = {.note_count = ELF_NOTE_SEGMENT_LIMIT};
    assert_int_equal(elf_note_check_segments(&plan, 0), ELF_NOTE_OK);
    plan.note_count++;
    assert_int_equal(elf_note_check_segments(&plan, 0), ELF_NOTE_TOO_MANY_SEGMENTS);
}

static void test_every_status_has_a_sentence(void **state)
{
    (void)state;
    for (int i = ELF_NOTE_OK; i <= ELF_NOTE_REPEATED; i++) {
        const char *text = elf_note_status_text((enum elf_note_status)i);
        assert_true(strlen(text) > 10 && text[strlen(text) - 1] == '.');
        for (int k = ELF_NOTE_OK; k < i; k++)
            assert_string_not_equal(text, elf_note_status_text((enum elf_note_status)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel_without_notes_has_the_defaults),
        cmocka_unit_test(test_macro_makes_what_is_read),
        cmocka_unit_test(test_every_type_with_every_alignment),
        cmocka_unit_test(test_N5_unknown_type_is_ignored),
        cmocka_unit_test(test_notes_of_other_owners_are_ignored),
        cmocka_unit_test(test_N5_wrong_size_is_an_error),
        cmocka_unit_test(test_type_that_comes_twice_is_an_error),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_zeros_behind_the_last_note_are_padding),
        cmocka_unit_test(test_sizes_that_would_wrap),
        cmocka_unit_test(test_segments_are_checked_before_they_are_read),
        cmocka_unit_test(test_number_of_segments),
        cmocka_unit_test(test_every_status_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
