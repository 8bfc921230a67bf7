/* Modes of the graphics output, as firmware may report them. */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/framebuffer.h"
#include "shared/address.h"

static struct framebuffer_mode good_mode(void)
{
    return (struct framebuffer_mode){
        .base = 0x80000000,
        .size_bytes = 800 * 600 * 4,
        .width_pixels = 800,
        .height_pixels = 600,
        .pixels_per_line = 800,
        .pixel_format = FRAMEBUFFER_PIXELS_BGRX,
        /* must not be read */
        .red_mask = 0x12345678,
        .reserved_mask = 0x87654321,
    };
}

static struct handoff_framebuffer describe(struct framebuffer_mode mode)
{
    struct handoff_framebuffer framebuffer;
    assert_true(framebuffer_describe(&mode, &framebuffer));
    return framebuffer;
}

static void assert_refused(struct framebuffer_mode mode)
{
    struct handoff_framebuffer framebuffer;
    struct handoff_framebuffer untouched;
    memset(&framebuffer, 0xa5, sizeof(framebuffer));
    memset(&untouched, 0xa5, sizeof(untouched));
    assert_false(framebuffer_describe(&mode, &framebuffer));
    assert_memory_equal(&framebuffer, &untouched, sizeof(framebuffer));
}

static void assert_masks(const struct handoff_framebuffer *framebuffer, uint32_t red,
                         uint32_t green, uint32_t blue, uint32_t reserved)
{
    assert_int_equal(framebuffer->red_mask, red);
    assert_int_equal(framebuffer->green_mask, green);
    assert_int_equal(framebuffer->blue_mask, blue);
    assert_int_equal(framebuffer->reserved_mask, reserved);
}

static void test_places_and_sizes(void **state)
{
    (void)state;
    struct framebuffer_mode mode = good_mode();
    mode.pixels_per_line = 832; /* a line may have more pixels than are visible */
    mode.size_bytes = 16 * MIB;
    struct handoff_framebuffer framebuffer = describe(mode);
    assert_int_equal(framebuffer.base, 0x80000000);
    assert_int_equal(framebuffer.width_pixels, 800);
    assert_int_equal(framebuffer.height_pixels, 600);
    assert_int_equal(framebuffer.pitch_bytes, 832 * 4);
    assert_int_equal(framebuffer.size_bytes, page_align_up(832 * 4 * 600));
}

static void test_pixel_format_rgbx(void **state)
{
    (void)state;
    struct framebuffer_mode mode = good_mode();
    mode.pixel_format = FRAMEBUFFER_PIXELS_RGBX;
    struct handoff_framebuffer framebuffer = describe(mode);
    assert_int_equal(framebuffer.pixel_format, HANDOFF_PIXEL_FORMAT_RGBX8888);
    assert_int_equal(framebuffer.bits_per_pixel, 32);
    assert_masks(&framebuffer, 0x000000ff, 0x0000ff00, 0x00ff0000, 0xff000000);
}

static void test_pixel_format_bgrx(void **state)
{
    (void)state;
    struct handoff_framebuffer framebuffer = describe(good_mode());
    assert_int_equal(framebuffer.pixel_format, HANDOFF_PIXEL_FORMAT_BGRX8888);
    assert_int_equal(framebuffer.bits_per_pixel, 32);
    assert_masks(&framebuffer, 0x00ff0000, 0x0000ff00, 0x000000ff, 0xff000000);
}

static void test_pixel_format_masks(void **state)
{
    (void)state;
    static const struct {
        uint32_t red, green, blue, reserved;
        unsigned bits;
    } CASES[] = {
        {0xe0, 0x1c, 0x03, 0, 8},
        {0x7c00, 0x03e0, 0x001f, 0, 16},
        {0xf800, 0x07e0, 0x001f, 0, 16},
        {0xff0000, 0x00ff00, 0x0000ff, 0, 24},
        {0xff0000, 0x00ff00, 0x0000ff, 0xff000000, 32},
        {0x3ff00000, 0x000ffc00, 0x000003ff, 0xc0000000, 32},
        {0, 0, 1, 0, 8},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct framebuffer_mode mode = good_mode();
        mode.pixel_format = FRAMEBUFFER_PIXELS_MASKS;
        mode.red_mask = CASES[i].red;
        mode.green_mask = CASES[i].green;
        mode.blue_mask = CASES[i].blue;
        mode.reserved_mask = CASES[i].reserved;
        mode.size_bytes = 800 * 600 * (CASES[i].bits / 8);
        struct handoff_framebuffer framebuffer = describe(mode);
        assert_int_equal(framebuffer.pixel_format, HANDOFF_PIXEL_FORMAT_MASKS);
        assert_int_equal(framebuffer.bits_per_pixel, CASES[i].bits);
        assert_int_equal(framebuffer.pitch_bytes, 800 * (CASES[i].bits / 8));
        assert_masks(&framebuffer, CASES[i].red, CASES[i].green, CASES[i].blue, CASES[i].reserved);
        assert_false(framebuffer_size_is_short(&mode, &framebuffer));
        mode.size_bytes--;
        assert_true(framebuffer_size_is_short(&mode, &framebuffer));
    }
}

static void test_masks_without_a_bit_are_no_pixel(void **state)
{
    (void)state;
    struct framebuffer_mode mode = good_mode();
    mode.pixel_format = FRAMEBUFFER_PIXELS_MASKS;
    mode.red_mask = 0;
    mode.reserved_mask = 0;
    assert_refused(mode);
}

static void test_FW15_formats_without_a_linear_framebuffer(void **state)
{
    (void)state;
    static const uint32_t FORMATS[] = {FRAMEBUFFER_PIXELS_BLT_ONLY, 4, 5, UINT32_MAX};
    for (size_t i = 0; i < sizeof(FORMATS) / sizeof(FORMATS[0]); i++) {
        struct framebuffer_mode mode = good_mode();
        mode.pixel_format = FORMATS[i];
        assert_refused(mode);
    }
}

static void test_FW15_sizes_that_cannot_be(void **state)
{
    (void)state;
    static const uint32_t SIZES[][3] = {
        /* width, height, pixels per line */
        {0, 600, 800},      {800, 0, 800},
        {0, 0, 0},          {801, 600, 800},
        {800, 600, 0},      {800, 65536, 800},
        {65536, 1, 65536},  {800, UINT32_MAX, 800},
        {1, 1, UINT32_MAX}, {UINT32_MAX, UINT32_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        struct framebuffer_mode mode = good_mode();
        mode.size_bytes = UINT64_MAX;
        mode.width_pixels = SIZES[i][0];
        mode.height_pixels = SIZES[i][1];
        mode.pixels_per_line = SIZES[i][2];
        assert_refused(mode);
    }
}

static void test_G2_pitch_times_height_counts_whatever_the_firmware_states(void **state)
{
    (void)state;
    static const uint64_t STATED[] = {0, 1, 800 * 600 * 4 - 1, 800 * 600 * 4, UINT64_MAX};
    for (size_t i = 0; i < sizeof(STATED) / sizeof(STATED[0]); i++) {
        struct framebuffer_mode mode = good_mode();
        mode.size_bytes = STATED[i];
        struct handoff_framebuffer framebuffer = describe(mode);
        assert_int_equal(framebuffer.size_bytes, page_align_up(800 * 600 * 4));
        assert_int_equal(framebuffer_size_is_short(&mode, &framebuffer), i < 3);
    }
}

/* A mode that is not in force has no place yet. */
static void test_a_mode_without_a_place_can_be_linear(void **state)
{
    (void)state;
    struct framebuffer_mode mode = good_mode();
    mode.base = mode.size_bytes = 0;
    assert_true(framebuffer_is_linear(&mode));
    mode.width_pixels = 0;
    assert_false(framebuffer_is_linear(&mode));
    mode = good_mode();
    mode.pixel_format = FRAMEBUFFER_PIXELS_BLT_ONLY;
    assert_false(framebuffer_is_linear(&mode));
}

/* --- The list --- */

static void test_G1_one_screen_under_two_handles_is_one_framebuffer(void **state)
{
    (void)state;
    static struct framebuffer_list list;
    struct handoff_framebuffer first = describe(good_mode());
    struct handoff_framebuffer second = first;
    second.base = 0x90000000;
    assert_true(framebuffer_list_add(&list, &first));
    assert_true(framebuffer_list_add(&list, &second));
    first.width_pixels = 640; /* the same address: an older description of the same screen */
    assert_true(framebuffer_list_add(&list, &first));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.list[0].width_pixels, 800);
    assert_int_equal(list.list[1].base, 0x90000000);
}

static void test_G1_a_full_list_says_so(void **state)
{
    (void)state;
    static struct framebuffer_list list;
    struct handoff_framebuffer framebuffer = describe(good_mode());
    for (size_t i = 0; i < FRAMEBUFFER_LIMIT; i++) {
        framebuffer.base += 16 * MIB;
        assert_true(framebuffer_list_add(&list, &framebuffer));
    }
    assert_true(framebuffer_list_add(&list, &framebuffer)); /* it is there */
    framebuffer.base += 16 * MIB;
    assert_false(framebuffer_list_add(&list, &framebuffer));
    assert_int_equal(list.count, FRAMEBUFFER_LIMIT);
}

static void assert_bases(const struct framebuffer_list *list, const uint64_t *bases, size_t count)
{
    assert_int_equal(list->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list->list[i].base, bases[i]);
}

static void test_a_removed_framebuffer_leaves_the_order(void **state)
{
    (void)state;
    static struct framebuffer_list list;
    static const struct handoff_framebuffer nothing;
    struct handoff_framebuffer framebuffer = describe(good_mode());
    for (size_t i = 0; i < 4; i++) {
        framebuffer.base = (i + 1) * 16 * MIB;
        assert_true(framebuffer_list_add(&list, &framebuffer));
    }
    framebuffer_list_remove(&list, 1);
    assert_bases(&list, (const uint64_t[]){16 * MIB, 48 * MIB, 64 * MIB}, 3);
    framebuffer_list_remove(&list, 2);
    assert_bases(&list, (const uint64_t[]){16 * MIB, 48 * MIB}, 2);
    framebuffer_list_remove(&list, 0);
    assert_bases(&list, (const uint64_t[]){48 * MIB}, 1);
    framebuffer_list_remove(&list, 0);
    assert_int_equal(list.count, 0);
    assert_memory_equal(&list.list[0], &nothing, sizeof(nothing));
}

static void test_G6_places_that_cannot_be(void **state)
{
    (void)state;
    const uint64_t limit = 64 * TIB;
    struct framebuffer_mode mode = good_mode();
    const uint64_t size_bytes = describe(mode).size_bytes;
    static const uint64_t BASES[] = {0, 0x80000800, 64 * TIB, UINT64_MAX - 0xfff};
    for (size_t i = 0; i < sizeof(BASES) / sizeof(BASES[0]); i++) {
        mode.base = BASES[i];
        assert_refused(mode);
    }
    mode.base = limit - size_bytes; /* the highest base inside of the direct map */
    assert_int_equal(describe(mode).base, mode.base);
    mode.base += PAGE_SIZE_BYTES;
    assert_refused(mode);
}

/* The largest possible mode: 65535 × 65535 pixels of 4 bytes are 16 GiB. */
static void test_largest_mode(void **state)
{
    (void)state;
    struct framebuffer_mode mode = good_mode();
    mode.width_pixels = mode.height_pixels = mode.pixels_per_line = UINT16_MAX;
    mode.size_bytes = UINT64_MAX;
    struct handoff_framebuffer framebuffer = describe(mode);
    assert_int_equal(framebuffer.size_bytes, page_align_up(UINT64_C(65535) * 65535 * 4));
    assert_int_equal(framebuffer.pitch_bytes, 65535 * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_and_sizes),
        cmocka_unit_test(test_pixel_format_rgbx),
        cmocka_unit_test(test_pixel_format_bgrx),
        cmocka_unit_test(test_pixel_format_masks),
        cmocka_unit_test(test_masks_without_a_bit_are_no_pixel),
        cmocka_unit_test(test_FW15_formats_without_a_linear_framebuffer),
        cmocka_unit_test(test_FW15_sizes_that_cannot_be),
        cmocka_unit_test(test_G2_pitch_times_height_counts_whatever_the_firmware_states),
        cmocka_unit_test(test_a_mode_without_a_place_can_be_linear),
        cmocka_unit_test(test_G1_one_screen_under_two_handles_is_one_framebuffer),
        cmocka_unit_test(test_G1_a_full_list_says_so),
        cmocka_unit_test(test_a_removed_framebuffer_leaves_the_order),
        cmocka_unit_test(test_G6_places_that_cannot_be),
        cmocka_unit_test(test_largest_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
