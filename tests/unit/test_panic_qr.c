/*
 * The QR code on the screen of a panic: the tests read its modules back from the pixels.
 * tests/qemu/test_screens.py gives the whole screen to a reader of another author.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/screen/panic_layout.h"
#include "kernel/screen/panic_qr.h"
#include "shared/text/console_font.h"
#include "shared/text/pixel_format.h"
#include "tests/unit/support/pixel_formats.h"
#include "tests/unit/support/random.h"

#define BGRX           (&pixel_formats[1])
#define UNTOUCHED      0x5a
#define CAPTION_LENGTH 24

static uint8_t font[CONSOLE_FONT_GLYPH_COUNT * CONSOLE_FONT_HEIGHT_PIXELS];
static struct handoff_framebuffer framebuffer;
static struct canvas canvas;
static struct panic_qr qr;
static char report[DEFLATE_INPUT_LIMIT_BYTES];

/* Open a screen whose memory has exactly its size, so that ASan finds a pixel outside. */
static void open_screen(const struct handoff_framebuffer *format, uint32_t width_pixels,
                        uint32_t height_pixels, uint8_t content)
{
    framebuffer = *format;
    framebuffer.width_pixels = width_pixels;
    framebuffer.height_pixels = height_pixels;
    framebuffer.pitch_bytes = width_pixels * framebuffer.bits_per_pixel / 8u;
    framebuffer.size_bytes = (uint64_t)framebuffer.pitch_bytes * height_pixels;
    uint8_t *pixels = malloc(framebuffer.size_bytes);
    assert_non_null(pixels);
    memset(pixels, content, framebuffer.size_bytes);
    assert_true(canvas_initialise(&canvas, &framebuffer, pixels, font));
}

static const uint8_t *pixel_at(uint32_t x, uint32_t y)
{
    return canvas.pixels + (size_t)y * framebuffer.pitch_bytes +
           (size_t)x * framebuffer.bits_per_pixel / 8u;
}

static bool has_colour(uint32_t x, uint32_t y, uint32_t rgb)
{
    uint8_t expected[4];
    pixel_write(expected, pixel_format_value(&framebuffer, rgb), framebuffer.bits_per_pixel / 8u);
    return memcmp(pixel_at(x, y), expected, framebuffer.bits_per_pixel / 8u) == 0;
}

/* Lines of 60 characters. As in a report, about one half is new in each line. */
static size_t fill(size_t size_bytes)
{
    static const char same[] = "[panic] #0 0xffffffff8000 kernel/";
    struct random random = {3};
    for (size_t i = 0; i < size_bytes; i++)
        report[i] =
            i % 60 < sizeof same - 1 ? same[i % 60] : (char)('a' + random_below(&random, 16));
    for (size_t i = 59; i < size_bytes; i += 60)
        report[i] = '\n';
    report[size_bytes - 1] = '\n';
    return size_bytes;
}

/* Check each pixel of the code, in the lower right corner with a margin of a letter's width. Return
 * the pixels of a module. */
static uint32_t expect_code(uint32_t scale)
{
    const struct qr_matrix *matrix = &qr.code.matrix;
    uint32_t margin = CONSOLE_FONT_WIDTH_PIXELS * scale;
    uint32_t right = framebuffer.width_pixels - margin;
    uint32_t bottom = framebuffer.height_pixels - margin;
    uint32_t modules = matrix->size_modules + 8;
    struct panic_box box;
    assert_true(panic_layout_find_box(&canvas, &box));
    assert_int_equal(box.scale, scale);
    assert_int_equal(box.left + box.side_pixels, right);
    assert_int_equal(box.top + box.side_pixels, bottom);
    uint32_t pixels = box.side_pixels / modules;
    for (uint32_t y = 0; y < modules * pixels; y++) {
        for (uint32_t x = 0; x < modules * pixels; x++) {
            unsigned column = x / pixels - 4;
            unsigned row = y / pixels - 4;
            bool is_dark = column < matrix->size_modules && row < matrix->size_modules &&
                           qr_matrix_is_dark(matrix, column, row);
            assert_true(has_colour(right - modules * pixels + x, bottom - modules * pixels + y,
                                   is_dark ? 0x000000 : 0xffffff));
        }
    }
    return pixels;
}

/* Expect that nothing but the code and the row of the caption above it has changed. */
static void expect_rest_untouched(uint32_t scale, uint32_t module_pixels)
{
    uint32_t margin = CONSOLE_FONT_WIDTH_PIXELS * scale;
    uint32_t side = (qr.code.matrix.size_modules + 8) * module_pixels;
    uint32_t caption = CAPTION_LENGTH * CONSOLE_FONT_WIDTH_PIXELS * scale;
    uint32_t left = framebuffer.width_pixels - margin - (side > caption ? side : caption);
    uint32_t right = framebuffer.width_pixels - margin;
    uint32_t top = framebuffer.height_pixels - margin - side - CONSOLE_FONT_HEIGHT_PIXELS * scale;
    for (uint32_t y = 0; y < framebuffer.height_pixels; y++) {
        for (uint32_t x = 0; x < framebuffer.width_pixels; x++) {
            if (x < left || y < top || x >= right || y >= framebuffer.height_pixels - margin)
                assert_int_equal(*pixel_at(x, y), UNTOUCHED);
        }
    }
}

static void test_every_format(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PIXEL_FORMAT_COUNT; i++) {
        size_t size_bytes = i % 2 == 0 ? 1300 : 300;
        open_screen(&pixel_formats[i], 800, 600, UNTOUCHED);
        assert_true(panic_qr_draw(&canvas, &qr, report, fill(size_bytes)));
        uint32_t pixels = expect_code(1);
        assert_in_range(pixels, 2, 4);
        expect_rest_untouched(1, pixels);
        assert_int_equal(qr.text.report_size_bytes, size_bytes);
        free(canvas.pixels);
    }
}

/* From 1024 x 768 on, a report of usual size has modules of three pixels or more. */
static void test_modules_grow_with_the_screen(void **state)
{
    (void)state;
    static const struct {
        uint32_t width_pixels, height_pixels, scale, module_pixels;
    } sizes[] = {{800, 600, 1, 2},   {1024, 768, 1, 3},  {1280, 720, 1, 3},  {1280, 1024, 1, 4},
                 {1920, 1080, 1, 5}, {2560, 1440, 2, 7}, {3840, 2160, 3, 11}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        open_screen(BGRX, sizes[i].width_pixels, sizes[i].height_pixels, UNTOUCHED);
        assert_true(panic_qr_draw(&canvas, &qr, report, fill(1300)));
        assert_int_equal(expect_code(sizes[i].scale), sizes[i].module_pixels);
        free(canvas.pixels);
    }
}

/* At 800 x 600 pixels the last lines of a long report are left out; a larger screen has all. */
static void test_long_report_is_cut_on_a_small_screen(void **state)
{
    (void)state;
    open_screen(BGRX, 800, 600, UNTOUCHED);
    assert_true(panic_qr_draw(&canvas, &qr, report, fill(4000)));
    assert_int_equal(expect_code(1), 2);
    assert_in_range(qr.text.report_size_bytes, 1800, 3000);
    assert_int_equal(qr.text.report_size_bytes % 60, 0);
    free(canvas.pixels);
    open_screen(BGRX, 1024, 768, UNTOUCHED);
    assert_true(panic_qr_draw(&canvas, &qr, report, fill(4000)));
    assert_int_equal(expect_code(1), 2);
    assert_in_range(qr.text.report_size_bytes, 3500, 4000);
    free(canvas.pixels);
}

/* Text of the page and the code do not touch each other, on any screen and with any page. */
static void test_text_leaves_the_box_free(void **state)
{
    (void)state;
    struct panic_page page = {0};
    struct panic_box box;
    char line[200];
    memset(line, '#', sizeof line);
    for (unsigned part = 0; part < PANIC_PART_COUNT; part++) {
        for (unsigned i = 0; i < 4; i++)
            panic_page_add(&page, part, line, 30 + part * 5 + i * 20);
    }
    for (uint32_t width = 800; width < 2600; width += 173) {
        uint32_t height = 592 + width % 500;
        open_screen(BGRX, width, height, UNTOUCHED);
        assert_true(panic_layout_draw(&canvas, &page));
        assert_true(panic_layout_find_box(&canvas, &box));
        for (uint32_t y = box.top - CONSOLE_FONT_HEIGHT_PIXELS * box.scale; y < height; y++) {
            for (uint32_t x = box.left; x < width; x++)
                assert_true(has_colour(x, y, PANIC_PAPER_RGB));
        }
        free(canvas.pixels);
    }
}

/* The pixels depend on the report only. */
static void test_framebuffer_is_not_read(void **state)
{
    (void)state;
    uint8_t *first;
    open_screen(BGRX, 800, 600, 0x00);
    assert_true(panic_qr_draw(&canvas, &qr, report, fill(1000)));
    uint32_t pixels = expect_code(1);
    uint32_t side = (qr.code.matrix.size_modules + 8) * pixels;
    first = canvas.pixels;
    open_screen(BGRX, 800, 600, 0xff);
    assert_true(panic_qr_draw(&canvas, &qr, report, fill(1000)));
    for (uint32_t y = 600 - 8 - side; y < 600 - 8; y++)
        assert_memory_equal(pixel_at(800 - 8 - side, y),
                            first + (size_t)y * framebuffer.pitch_bytes + (800 - 8 - side) * 4,
                            (size_t)side * 4);
    free(first);
    free(canvas.pixels);
}

static void expect_no_code(uint32_t width_pixels, uint32_t height_pixels, size_t size_bytes)
{
    open_screen(BGRX, width_pixels, height_pixels, UNTOUCHED);
    assert_false(panic_qr_draw(&canvas, &qr, report, size_bytes));
    for (size_t i = 0; i < framebuffer.size_bytes; i++)
        assert_int_equal(canvas.pixels[i], UNTOUCHED);
    free(canvas.pixels);
}

static void test_no_code_without_room_or_report(void **state)
{
    (void)state;
    fill(600);
    expect_no_code(799, 600, 600);
    expect_no_code(800, 591, 600);
    expect_no_code(640, 480, 600);
    expect_no_code(800, 600, 0);
    memset(report, 'x', sizeof report);
    expect_no_code(800, 600, 100); /* no whole line */
}

static int make_font(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof font; i++)
        font[i] = (uint8_t)(i * 37 + 11);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_format),
        cmocka_unit_test(test_modules_grow_with_the_screen),
        cmocka_unit_test(test_long_report_is_cut_on_a_small_screen),
        cmocka_unit_test(test_text_leaves_the_box_free),
        cmocka_unit_test(test_framebuffer_is_not_read),
        cmocka_unit_test(test_no_code_without_room_or_report),
    };
    return cmocka_run_group_tests_name("panic_qr", tests, make_font, NULL);
}
