/*
 * The canvas: rectangles and text that are cut at the edges. The memory for the pixels has exactly
 * the size of the framebuffer, so that ASan finds a pixel outside.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/screen/canvas.h"
#include "shared/text/console_font.h"
#include "tests/unit/support/pixel_formats.h"

#define WIDTH_PIXELS   20
#define HEIGHT_PIXELS  18
#define PITCH_BYTES    (WIDTH_PIXELS + 3)
#define UNTOUCHED      0xa5
#define FOREGROUND_RGB 0xffffff
#define BACKGROUND_RGB 0xff0000
#define FOREGROUND     0xff /* 3 bits of red, 3 of green and 2 of blue: the last pixel format */
#define BACKGROUND     0xe0

struct fixture {
    struct handoff_framebuffer framebuffer;
    uint8_t *pixels;
    uint8_t font[CONSOLE_FONT_GLYPH_COUNT * CONSOLE_FONT_HEIGHT_PIXELS];
    struct canvas canvas;
};

static int create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->framebuffer = pixel_formats[PIXEL_FORMAT_COUNT - 1];
    fixture->framebuffer.width_pixels = WIDTH_PIXELS;
    fixture->framebuffer.height_pixels = HEIGHT_PIXELS;
    fixture->framebuffer.pitch_bytes = PITCH_BYTES;
    fixture->framebuffer.size_bytes = PITCH_BYTES * HEIGHT_PIXELS;
    fixture->pixels = malloc(fixture->framebuffer.size_bytes);
    assert_non_null(fixture->pixels);
    memset(fixture->pixels, UNTOUCHED, fixture->framebuffer.size_bytes);
    for (size_t i = 0; i < sizeof fixture->font; i++)
        fixture->font[i] = (uint8_t)(i * 37 + 11);
    assert_true(
        canvas_initialise(&fixture->canvas, &fixture->framebuffer, fixture->pixels, fixture->font));
    *state = fixture;
    return 0;
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->pixels);
    free(fixture);
    return 0;
}

static uint8_t pixel(const struct fixture *fixture, uint32_t x, uint32_t y)
{
    return fixture->pixels[y * PITCH_BYTES + x];
}

/* Check every byte of the framebuffer: `value` in the rectangle, untouched outside. */
static void expect_rectangle(const struct fixture *fixture, uint32_t left, uint32_t top,
                             uint32_t right, uint32_t bottom, uint8_t value)
{
    for (uint32_t y = 0; y < HEIGHT_PIXELS; y++) {
        for (uint32_t x = 0; x < PITCH_BYTES; x++) {
            bool is_inside = x >= left && x < right && y >= top && y < bottom;
            assert_int_equal(pixel(fixture, x, y), is_inside ? value : UNTOUCHED);
        }
    }
}

static void test_rectangle(void **state)
{
    struct fixture *fixture = *state;
    canvas_fill(&fixture->canvas, 3, 2, 5, 7, BACKGROUND_RGB);
    expect_rectangle(fixture, 3, 2, 8, 9, BACKGROUND);
}

static void test_rectangle_is_cut_at_the_edges(void **state)
{
    struct fixture *fixture = *state;
    canvas_fill(&fixture->canvas, 15, 10, UINT32_MAX, UINT32_MAX, FOREGROUND_RGB);
    canvas_fill(&fixture->canvas, WIDTH_PIXELS, 0, 4, 4, BACKGROUND_RGB);
    canvas_fill(&fixture->canvas, 0, UINT32_MAX, 4, 4, BACKGROUND_RGB);
    expect_rectangle(fixture, 15, 10, WIDTH_PIXELS, HEIGHT_PIXELS, FOREGROUND);
}

/* Check one character: the pixel (x, y) of its glyph is a square of `scale` pixels. What lies
 * outside of the screen is not there. */
static void expect_character(const struct fixture *fixture, uint32_t left, uint32_t top,
                             uint32_t scale, char character)
{
    const uint8_t *glyph =
        fixture->font + (character - CONSOLE_FONT_FIRST) * CONSOLE_FONT_HEIGHT_PIXELS;
    for (uint32_t y = 0; y < CONSOLE_FONT_HEIGHT_PIXELS * scale; y++) {
        for (uint32_t x = 0; x < CONSOLE_FONT_WIDTH_PIXELS * scale; x++) {
            bool is_set = (glyph[y / scale] << x / scale & 0x80) != 0;
            if (left + x < WIDTH_PIXELS && top + y < HEIGHT_PIXELS)
                assert_int_equal(pixel(fixture, left + x, top + y),
                                 is_set ? FOREGROUND : BACKGROUND);
        }
    }
}

static void expect_margin_untouched(const struct fixture *fixture)
{
    for (uint32_t y = 0; y < HEIGHT_PIXELS; y++)
        for (uint32_t x = WIDTH_PIXELS; x < PITCH_BYTES; x++)
            assert_int_equal(pixel(fixture, x, y), UNTOUCHED);
}

static void test_text(void **state)
{
    struct fixture *fixture = *state;
    const struct canvas_style style = {1, FOREGROUND_RGB, BACKGROUND_RGB};
    canvas_text(&fixture->canvas, 2, 1, &style, "aZ", 2);
    expect_character(fixture, 2, 1, 1, 'a');
    expect_character(fixture, 10, 1, 1, 'Z');
    assert_int_equal(pixel(fixture, 1, 1), UNTOUCHED);
    assert_int_equal(pixel(fixture, 18, 1), UNTOUCHED);
    assert_int_equal(pixel(fixture, 2, 0), UNTOUCHED);
    assert_int_equal(pixel(fixture, 2, 17), UNTOUCHED);
}

static void test_other_characters_are_question_marks(void **state)
{
    struct fixture *fixture = *state;
    const struct canvas_style style = {1, FOREGROUND_RGB, BACKGROUND_RGB};
    canvas_text(&fixture->canvas, 0, 0, &style, "\n\xff", 2);
    expect_character(fixture, 0, 0, 1, '?');
    expect_character(fixture, 8, 0, 1, '?');
}

static void test_text_is_cut_at_the_edges(void **state)
{
    struct fixture *fixture = *state;
    const struct canvas_style style = {2, FOREGROUND_RGB, BACKGROUND_RGB};
    canvas_text(&fixture->canvas, 1, 3, &style, "~!~!", 4);
    expect_character(fixture, 1, 3, 2, '~');
    expect_character(fixture, 17, 3, 2, '!');
    expect_margin_untouched(fixture);
}

static void test_contradictions_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct canvas canvas = {0};
    fixture->framebuffer.pitch_bytes = WIDTH_PIXELS - 1;
    assert_false(canvas_initialise(&canvas, &fixture->framebuffer, fixture->pixels, fixture->font));
    assert_null(canvas.pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rectangle, create, destroy),
        cmocka_unit_test_setup_teardown(test_rectangle_is_cut_at_the_edges, create, destroy),
        cmocka_unit_test_setup_teardown(test_text, create, destroy),
        cmocka_unit_test_setup_teardown(test_other_characters_are_question_marks, create, destroy),
        cmocka_unit_test_setup_teardown(test_text_is_cut_at_the_edges, create, destroy),
        cmocka_unit_test_setup_teardown(test_contradictions_are_refused, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
