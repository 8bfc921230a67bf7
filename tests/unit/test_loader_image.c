/*
 * test_loader_image.c - the loader's own PE headers: good ones, and each kind of damage.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/loader_image.h"
#include "shared/address.h"

#define IMAGE_BASE    UINT64_C(0x7e000000)
#define IMAGE_PAGES   8
#define PE_OFFSET     0x80
#define OPTIONAL_SIZE 240
#define FLAG_EXECUTE  UINT32_C(0x60000020)
#define FLAG_READ     UINT32_C(0x40000040)
#define FLAG_WRITE    UINT32_C(0xc0000040)

/* The headers of an image with .text, .rdata and .data. */
struct image {
    uint8_t bytes[IMAGE_PAGES * 4096];
};

static void put16(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *bytes, uint32_t value)
{
    put16(bytes, value);
    put16(bytes + 2, value >> 16);
}

static uint8_t *section_at(struct image *image, size_t index)
{
    return image->bytes + PE_OFFSET + 24 + OPTIONAL_SIZE + 40 * index;
}

static void put_section(struct image *image, size_t index, uint32_t offset, uint32_t size_bytes,
                        uint32_t flags)
{
    put32(section_at(image, index) + 8, size_bytes);
    put32(section_at(image, index) + 12, offset);
    put32(section_at(image, index) + 36, flags);
}

static struct image good_image(void)
{
    struct image image = {{0}};
    put16(image.bytes, 0x5a4d);
    put32(image.bytes + 0x3c, PE_OFFSET);
    put32(image.bytes + PE_OFFSET, 0x4550);
    put16(image.bytes + PE_OFFSET + 6, 3);
    put16(image.bytes + PE_OFFSET + 20, OPTIONAL_SIZE);
    put_section(&image, 0, 0x1000, 0x2345, FLAG_EXECUTE);
    put_section(&image, 1, 0x4000, 0x10, FLAG_READ);
    put_section(&image, 2, 0x5000, 0x3000, FLAG_WRITE);
    return image;
}

/* The memory has exactly this size, so that ASan finds a read outside of it. */
static const char *read_pages(const struct image *image, uint64_t base, size_t page_count,
                              struct loader_image *ret_image)
{
    size_t size_bytes = page_count * 4096;
    uint8_t *copy = malloc(size_bytes + 1);
    assert_non_null(copy);
    memcpy(copy, image->bytes, size_bytes);
    const char *obstacle = loader_image_read(phys_range(base, base + size_bytes), copy, ret_image);
    free(copy);
    return obstacle;
}

static void assert_refused(const struct image *image, const char *expected)
{
    struct loader_image result = {.section_count = 77};
    const char *obstacle = read_pages(image, IMAGE_BASE, IMAGE_PAGES, &result);
    assert_non_null(obstacle);
    assert_string_equal(obstacle, expected);
    assert_int_equal(result.section_count, 77);
}

static void assert_section(const struct loader_section *section, uint64_t offset, uint64_t end,
                           bool write, bool execute)
{
    assert_int_equal(section->memory.start.value, IMAGE_BASE + offset);
    assert_int_equal(section->memory.end.value, IMAGE_BASE + end);
    assert_int_equal(section->write, write);
    assert_int_equal(section->execute, execute);
}

static void test_sections_in_whole_pages(void **state)
{
    (void)state;
    struct image image = good_image();
    struct loader_image result;
    assert_null(read_pages(&image, IMAGE_BASE, IMAGE_PAGES, &result));
    assert_int_equal(result.memory.start.value, IMAGE_BASE);
    assert_int_equal(phys_range_size_bytes(result.memory), IMAGE_PAGES * 4096);
    assert_int_equal(result.section_count, 3);
    assert_section(&result.sections[0], 0x1000, 0x4000, false, true);
    assert_section(&result.sections[1], 0x4000, 0x5000, false, false);
    assert_section(&result.sections[2], 0x5000, 0x8000, true, false);
}

/* loader_image_read() points into the bytes that it read, so these live on. */
static void test_enrolled_files(void **state)
{
    (void)state;
    struct image image = good_image();
    struct loader_image result;
    struct phys_range memory = phys_range(IMAGE_BASE, IMAGE_BASE + IMAGE_PAGES * 4096);
    assert_null(loader_image_read(memory, image.bytes, &result));
    assert_int_equal(result.enrolled.length, 0);
    memcpy(section_at(&image, 1), ".hashes", 7);
    assert_null(loader_image_read(memory, image.bytes, &result));
    assert_ptr_equal(result.enrolled.text, image.bytes + 0x4000);
    assert_int_equal(result.enrolled.length, 0x10);
    section_at(&image, 1)[7] = 'x';
    assert_null(loader_image_read(memory, image.bytes, &result));
    assert_int_equal(result.enrolled.length, 0);
}

static void test_place_of_the_image(void **state)
{
    (void)state;
    struct image image = good_image();
    struct loader_image result;
    assert_string_equal(read_pages(&image, IMAGE_BASE + 0x10, IMAGE_PAGES, &result), "its place");
    assert_string_equal(loader_image_read(phys_range(IMAGE_BASE, IMAGE_BASE), image.bytes, &result),
                        "its place");
    assert_string_equal(
        loader_image_read(phys_range(IMAGE_BASE, IMAGE_BASE + 0x800), image.bytes, &result),
        "its place");
}

static void test_damaged_headers(void **state)
{
    (void)state;
    struct image image = good_image();
    image.bytes[0] = 'N';
    assert_refused(&image, "its PE header");
    image = good_image();
    put32(image.bytes + PE_OFFSET, 0x4551);
    assert_refused(&image, "its PE header");
    image = good_image();
    put16(image.bytes + PE_OFFSET + 6, 0);
    assert_refused(&image, "its PE header");
    image = good_image();
    put16(image.bytes + PE_OFFSET + 6, LOADER_IMAGE_SECTION_LIMIT + 1);
    assert_refused(&image, "its PE header");
}

static void test_headers_outside_of_the_image_are_not_read(void **state)
{
    (void)state;
    static const uint32_t OFFSETS[] = {IMAGE_PAGES * 4096 - 23, IMAGE_PAGES * 4096, 0x7fffffff,
                                       UINT32_MAX};
    for (size_t i = 0; i < sizeof(OFFSETS) / sizeof(OFFSETS[0]); i++) {
        struct image image = good_image();
        put32(image.bytes + 0x3c, OFFSETS[i]);
        assert_refused(&image, "its PE header");
    }
    struct image image = good_image();
    put16(image.bytes + PE_OFFSET + 20, IMAGE_PAGES * 4096 - PE_OFFSET - 24 - 3 * 40 + 1);
    assert_refused(&image, "its PE header");
}

static void test_headers_at_the_end_of_the_image(void **state)
{
    (void)state;
    struct image image = good_image();
    struct loader_image result;
    put32(image.bytes + 0x3c, 4096 - 24 - 3 * 40);
    memmove(image.bytes + 4096 - 24 - 3 * 40, image.bytes + PE_OFFSET, 24);
    put16(image.bytes + 4096 - 24 - 3 * 40 + 20, 0);
    memmove(image.bytes + 4096 - 3 * 40, section_at(&image, 0), 3 * 40);
    assert_null(read_pages(&image, IMAGE_BASE, IMAGE_PAGES, &result));
    assert_string_equal(read_pages(&image, IMAGE_BASE, 1, &result), "a section");
}

static void test_sections_that_no_linker_of_ours_writes(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset, size_bytes, flags;
    } BAD[] = {
        {0x1010, 0x1000, FLAG_READ},
        {0x1000, 0, FLAG_READ},
        {0x8000, 1, FLAG_READ},
        {0x7000, 0x1001, FLAG_READ},
        {0xfffff000, 0x1000, FLAG_READ},
        {0x1000, UINT32_MAX, FLAG_READ},
        {0x1000, 0x1000, FLAG_EXECUTE | FLAG_WRITE},
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct image image = good_image();
        put_section(&image, 2, BAD[i].offset, BAD[i].size_bytes, BAD[i].flags);
        assert_refused(&image, "a section");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections_in_whole_pages),
        cmocka_unit_test(test_enrolled_files),
        cmocka_unit_test(test_place_of_the_image),
        cmocka_unit_test(test_damaged_headers),
        cmocka_unit_test(test_headers_outside_of_the_image_are_not_read),
        cmocka_unit_test(test_headers_at_the_end_of_the_image),
        cmocka_unit_test(test_sections_that_no_linker_of_ours_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
