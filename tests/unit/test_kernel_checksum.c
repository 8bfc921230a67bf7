/*
 * test_kernel_checksum.c - the checksum of a loaded kernel sees every change of what the loader
 * takes from the file, and nothing else.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/kernel_checksum.h"

#define BASE        ELF_LOWEST_ADDRESS
#define IMAGE_BYTES 0x2000
#define TEXT_BYTES  103
#define DATA_BYTES  40
/* In the first segment, at an odd place. */
#define NOTE_OFFSET 0x1025

struct sample {
    struct elf_plan plan;
    uint8_t image[IMAGE_BYTES];
};

static void create(struct sample *sample)
{
    sample->plan = (struct elf_plan){
        .entry = {BASE + 4},
        .image = {{BASE}, {BASE + IMAGE_BYTES}},
        .segment_count = 2,
        .segments = {{{{BASE}, {BASE + TEXT_BYTES}}, 0x1000, TEXT_BYTES, false, true, 0},
                     {{{BASE + 0x1003}, {BASE + 0x1800}}, 0x2003, DATA_BYTES, true, false, 1}},
    };
    for (unsigned i = 0; i < IMAGE_BYTES; i++)
        sample->image[i] = (uint8_t)(i * 7 + 1);
}

static uint64_t checksum(struct sample *sample)
{
    return kernel_checksum(&sample->plan, sample->image, NOTE_OFFSET);
}

/* A second way to compute it: byte by byte, as docs/HANDOFF.md says it. */
static uint64_t expected_mix(uint64_t state, uint64_t word)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t product = (uint64_t)((wide)(state ^ word) * UINT64_C(0x9e3779b97f4a7c15));
    return (product >> 32) + (product << 32);
}

static uint64_t expected_bytes(uint64_t state, const uint8_t *bytes, uint64_t size_bytes,
                               uint64_t first_offset)
{
    uint64_t word = 0;
    for (uint64_t i = 0; i < size_bytes; i++) {
        bool is_note = first_offset + i >= NOTE_OFFSET && first_offset + i < NOTE_OFFSET + 8;
        word |= (uint64_t)(is_note ? 0 : bytes[i]) << 8 * (i % 8);
        if (i % 8 != 7 && i != size_bytes - 1)
            continue;
        state = expected_mix(state, word);
        word = 0;
    }
    return state;
}

static uint64_t expected_checksum(const struct sample *sample)
{
    uint64_t state = expected_mix(UINT64_C(0x48616e646f666621), sample->plan.entry.value);
    for (unsigned n = 0; n < sample->plan.segment_count; n++) {
        const struct elf_segment *segment = &sample->plan.segments[n];
        state = expected_mix(state, segment->memory.start.value);
        state = expected_mix(state, segment->memory.end.value);
        state = expected_mix(state, segment->file_size_bytes);
        state = expected_mix(state, segment->write * 2u + segment->execute);
        state = expected_bytes(state, sample->image + (segment->memory.start.value - BASE),
                               segment->file_size_bytes, segment->file_offset);
    }
    return state;
}

static void test_checksum_is_that_of_the_document(void **state)
{
    (void)state;
    static struct sample sample;
    create(&sample);
    for (uint64_t size_bytes = 0; size_bytes <= TEXT_BYTES; size_bytes++) {
        sample.plan.segments[0].file_size_bytes = size_bytes;
        assert_true(checksum(&sample) == expected_checksum(&sample));
    }
}

static void test_every_bit_counts_and_the_image_stays(void **state)
{
    (void)state;
    static struct sample sample;
    static uint8_t before[IMAGE_BYTES];
    create(&sample);
    uint64_t good = checksum(&sample);
    for (unsigned bit = 0; bit < 8 * IMAGE_BYTES; bit++) {
        unsigned byte = bit / 8;
        bool is_note = byte >= NOTE_OFFSET - 0x1000 && byte < NOTE_OFFSET - 0x1000 + 8;
        bool counts =
            (byte < TEXT_BYTES && !is_note) || (byte >= 0x1003 && byte < 0x1003 + DATA_BYTES);
        sample.image[byte] ^= (uint8_t)(1u << bit % 8);
        memcpy(before, sample.image, sizeof(before));
        assert_int_equal(checksum(&sample) != good, counts);
        assert_memory_equal(sample.image, before, sizeof(before));
        sample.image[byte] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_zeroed_and_exchanged_words_are_seen(void **state)
{
    (void)state;
    static struct sample sample;
    create(&sample);
    uint64_t good = checksum(&sample);
    memset(sample.image, 0, 32);
    assert_true(checksum(&sample) != good);
    create(&sample);
    memcpy(sample.image, sample.image + 8, 8);
    for (unsigned i = 0; i < 8; i++)
        sample.image[8 + i] = (uint8_t)(i * 7 + 1);
    assert_true(checksum(&sample) != good);
}

static void assert_changed(const struct sample *changed, uint64_t good)
{
    static struct sample copy;
    copy = *changed;
    assert_true(checksum(&copy) != good);
}

static void test_places_and_permissions_count(void **state)
{
    (void)state;
    static struct sample sample;
    create(&sample);
    uint64_t good = checksum(&sample);
    sample.plan.entry.value++;
    assert_changed(&sample, good);
    create(&sample);
    sample.plan.segments[1].memory.end.value++;
    assert_changed(&sample, good);
    create(&sample);
    sample.plan.segments[1].file_size_bytes--;
    assert_changed(&sample, good);
    create(&sample);
    sample.plan.segments[1].write = false;
    assert_changed(&sample, good);
    create(&sample);
    sample.plan.segments[0].execute = false;
    assert_changed(&sample, good);
    create(&sample);
    sample.plan.segment_count = 1;
    assert_changed(&sample, good);
}

/* A linker may give the same bytes of the file to two segments, and cut the value at their ends. */
static void test_value_in_two_segments_and_at_their_ends(void **state)
{
    (void)state;
    static struct sample sample;
    for (uint64_t shift = 0; shift < 16; shift++) {
        create(&sample);
        sample.plan.segments[1].file_offset = NOTE_OFFSET - 8 + shift;
        uint64_t good = checksum(&sample);
        assert_true(good == expected_checksum(&sample));
        memset(sample.image + (NOTE_OFFSET - 0x1000), 0xff, 8);
        assert_true(checksum(&sample) == good);
    }
}

static void test_value_outside_of_every_segment(void **state)
{
    (void)state;
    static const uint64_t OFFSETS[] = {0, 0xff8, 0x1000 + TEXT_BYTES, UINT64_MAX - 7, UINT64_MAX};
    static struct sample sample;
    create(&sample);
    uint64_t good = kernel_checksum(&sample.plan, sample.image, OFFSETS[0]);
    for (size_t i = 0; i < sizeof(OFFSETS) / sizeof(OFFSETS[0]); i++)
        assert_true(kernel_checksum(&sample.plan, sample.image, OFFSETS[i]) == good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum_is_that_of_the_document),
        cmocka_unit_test(test_every_bit_counts_and_the_image_stays),
        cmocka_unit_test(test_zeroed_and_exchanged_words_are_seen),
        cmocka_unit_test(test_places_and_permissions_count),
        cmocka_unit_test(test_value_in_two_segments_and_at_their_ends),
        cmocka_unit_test(test_value_outside_of_every_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
