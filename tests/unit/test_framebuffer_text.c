/*
 * Text on a framebuffer: every pixel format, geometries that are refused, scrolling. The memory for
 * the pixels has exactly the size of the framebuffer, so that ASan finds a pixel outside.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "shared/text/console_font.h"
#include "shared/text/framebuffer_text.h"
#include "tests/unit/support/pixel_formats.h"

#define WIDTH_PIXELS  50 /* six columns, and two pixels beside them */
#define HEIGHT_PIXELS 55 /* three rows, and seven lines below */
#define COLUMNS       6
#define ROWS          3

struct screen {
    struct handoff_framebuffer framebuffer;
    uint8_t *pixels;
    char cells[COLUMNS * ROWS];
    uint8_t font[CONSOLE_FONT_GLYPH_COUNT * CONSOLE_FONT_HEIGHT_PIXELS];
    struct framebuffer_text text;
};

/* 0xd0 of 0xff, in the precision of each colour. */
static const uint32_t foregrounds[PIXEL_FORMAT_COUNT] = {
    0x00d0d0d0,
    0x00d0d0d0,
    834u << 20 | 834u << 10 | 834u,
    0xd0d0d000,
    0x00d0d0d0,
    25u << 11 | 51u << 5 | 25u,
    5u << 5 | 5u << 2 | 2u,
};

static struct screen *screen_create(const struct handoff_framebuffer *format)
{
    struct screen *screen = calloc(1, sizeof(*screen));
    struct handoff_framebuffer *framebuffer = &screen->framebuffer;
    uint32_t pixel_size_bytes = format->bits_per_pixel / 8u;

    *framebuffer = *format;
    framebuffer->width_pixels = WIDTH_PIXELS;
    framebuffer->height_pixels = HEIGHT_PIXELS;
    framebuffer->pitch_bytes = (WIDTH_PIXELS + 3) * pixel_size_bytes;
    framebuffer->size_bytes = (uint64_t)framebuffer->pitch_bytes * HEIGHT_PIXELS;
    screen->pixels = malloc(framebuffer->size_bytes);
    memset(screen->pixels, 0xa5, framebuffer->size_bytes);
    for (size_t i = 0; i < sizeof(screen->font); i++)
        screen->font[i] = (uint8_t)(i * 37 + 11);
    memset(screen->font, 0, CONSOLE_FONT_HEIGHT_PIXELS); /* the glyph of the blank */
    return screen;
}

static bool screen_start(struct screen *screen)
{
    return framebuffer_text_initialise(&screen->text, &screen->framebuffer, screen->pixels,
                                       screen->font, screen->cells, sizeof(screen->cells));
}

static void screen_destroy(struct screen *screen)
{
    free(screen->pixels);
    free(screen);
}

static void screen_write(struct screen *screen, const char *text)
{
    framebuffer_text_write(&screen->text, text, strlen(text));
}

static uint32_t screen_pixel(const struct screen *screen, uint32_t x, uint32_t y)
{
    uint32_t pixel_size_bytes = screen->framebuffer.bits_per_pixel / 8u;
    const uint8_t *pixel =
        screen->pixels + y * screen->framebuffer.pitch_bytes + x * pixel_size_bytes;
    uint32_t value = 0;
    for (uint32_t i = 0; i < pixel_size_bytes; i++)
        value |= (uint32_t)pixel[i] << (8 * i);
    return value;
}

/* Check every pixel of the screen, row by row, against the text that must be on it. */
static void assert_screen_shows(const struct screen *screen, const char *const rows[ROWS],
                                uint32_t foreground)
{
    for (uint32_t y = 0; y < HEIGHT_PIXELS; y++) {
        for (uint32_t x = 0; x < WIDTH_PIXELS; x++) {
            uint32_t column = x / CONSOLE_FONT_WIDTH_PIXELS;
            uint32_t row = y / CONSOLE_FONT_HEIGHT_PIXELS;
            char character = row < ROWS && column < COLUMNS ? rows[row][column] : ' ';
            unsigned line = screen->font[(character - ' ') * CONSOLE_FONT_HEIGHT_PIXELS +
                                         (int)(y % CONSOLE_FONT_HEIGHT_PIXELS)];
            bool lit = (line >> (7 - x % CONSOLE_FONT_WIDTH_PIXELS) & 1) != 0;
            assert_int_equal(screen_pixel(screen, x, y), lit ? foreground : 0);
        }
    }
}

static void test_FW15_every_pixel_format_is_drawn(void **state)
{
    (void)state;
    for (size_t i = 0; i < PIXEL_FORMAT_COUNT; i++) {
        struct screen *screen = screen_create(&pixel_formats[i]);
        assert_true(screen_start(screen));
        framebuffer_text_clear(&screen->text);
        screen_write(screen, "Ab~\n!z");
        assert_screen_shows(screen, (const char *const[ROWS]){"Ab~   ", "!z    ", "      "},
                            foregrounds[i]);
        screen_destroy(screen);
    }
}

static void test_padding_between_lines_is_not_touched(void **state)
{
    (void)state;
    struct screen *screen = screen_create(&pixel_formats[1]);
    assert_true(screen_start(screen));
    framebuffer_text_clear(&screen->text);
    screen_write(screen, "abcdefghijklmnopqrstuvwxyz");
    for (uint32_t y = 0; y < HEIGHT_PIXELS; y++)
        assert_int_equal(screen_pixel(screen, WIDTH_PIXELS, y), 0xa5a5a5a5);
    screen_destroy(screen);
}

static void test_text_wraps_and_scrolls(void **state)
{
    (void)state;
    struct screen *screen = screen_create(&pixel_formats[4]);
    assert_true(screen_start(screen));
    framebuffer_text_clear(&screen->text);

    screen_write(screen, "123456");
    assert_screen_shows(screen, (const char *const[ROWS]){"123456", "      ", "      "}, 0xd0d0d0);
    screen_write(screen, "\nabcdefg\nX");
    assert_screen_shows(screen, (const char *const[ROWS]){"abcdef", "g     ", "X     "}, 0xd0d0d0);
    screen_write(screen, "\n\n\n\n");
    assert_screen_shows(screen, (const char *const[ROWS]){"      ", "      ", "      "}, 0xd0d0d0);
    screen_destroy(screen);
}

static void test_control_and_foreign_characters(void **state)
{
    (void)state;
    struct screen *screen = screen_create(&pixel_formats[5]);
    assert_true(screen_start(screen));
    framebuffer_text_clear(&screen->text);
    screen_write(screen, "a\r\x01\x7f\xc3\n\tb");
    assert_screen_shows(screen, (const char *const[ROWS]){"a???  ", "      ", "b     "},
                        foregrounds[5]);
    screen_destroy(screen);
}

static void test_backspace_and_form_feed(void **state)
{
    (void)state;
    struct screen *screen = screen_create(&pixel_formats[5]);
    assert_true(screen_start(screen));
    framebuffer_text_clear(&screen->text);
    screen_write(screen, "\b\bheat\bp\n123456\b\b67"); /* the second row is full */
    assert_screen_shows(screen, (const char *const[ROWS]){"heap  ", "123467", "      "},
                        foregrounds[5]);
    screen_write(screen, "\fnew");
    assert_screen_shows(screen, (const char *const[ROWS]){"new   ", "      ", "      "},
                        foregrounds[5]);
    screen_destroy(screen);
}

/* Return true if the cell has the glyph of the character with exchanged colours. */
static bool is_inverted(const struct screen *screen, uint32_t column, uint32_t row, char character)
{
    bool is_inverse = true;
    for (uint32_t y = 0; y < CONSOLE_FONT_HEIGHT_PIXELS; y++) {
        unsigned line = screen->font[(character - ' ') * CONSOLE_FONT_HEIGHT_PIXELS + (int)y];
        for (uint32_t x = 0; x < CONSOLE_FONT_WIDTH_PIXELS; x++) {
            bool lit = screen_pixel(screen, column * CONSOLE_FONT_WIDTH_PIXELS + x,
                                    row * CONSOLE_FONT_HEIGHT_PIXELS + y) != 0;
            is_inverse = is_inverse && lit != ((line >> (7 - x) & 1) != 0);
        }
    }
    return is_inverse;
}

/* The cursor is where the next character will be, and leaves no trace. */
static void test_cursor(void **state)
{
    (void)state;
    struct screen *screen = screen_create(&pixel_formats[0]);
    assert_true(screen_start(screen));
    framebuffer_text_clear(&screen->text);
    screen_write(screen, "ab");
    assert_false(is_inverted(screen, 2, 0, ' '));
    framebuffer_text_show_cursor(&screen->text);
    screen_write(screen, "c");
    assert_true(is_inverted(screen, 3, 0, ' '));
    screen_write(screen, "\b\b");
    assert_true(is_inverted(screen, 1, 0, 'b'));
    assert_false(is_inverted(screen, 3, 0, ' '));
    screen_write(screen, "bcdef"); /* the row is full */
    assert_true(is_inverted(screen, 5, 0, 'f'));
    screen_write(screen, "\n\n\n\n");
    assert_true(is_inverted(screen, 0, 2, ' '));
    screen_write(screen, "\f");
    assert_true(is_inverted(screen, 0, 0, ' '));
    screen->text.has_cursor = false;
    framebuffer_text_show(&screen->text);
    assert_screen_shows(screen, (const char *const[ROWS]){"      ", "      ", "      "}, 0xd0d0d0);
    screen_destroy(screen);
}

/* A hidden text changes no pixel, and is drawn as a whole when it is shown. */
static void test_hidden_text(void **state)
{
    (void)state;
    struct screen *screen = screen_create(&pixel_formats[4]);
    assert_true(screen_start(screen));
    framebuffer_text_show_cursor(&screen->text);
    framebuffer_text_hide(&screen->text);
    framebuffer_text_clear(&screen->text);
    screen_write(screen, "1\n2\nlong line\n\bx");
    for (size_t i = 0; i < screen->framebuffer.size_bytes; i++)
        assert_int_equal(screen->pixels[i], 0xa5);
    framebuffer_text_show(&screen->text);
    assert_true(is_inverted(screen, 1, 2, ' '));
    screen->text.has_cursor = false;
    framebuffer_text_show(&screen->text);
    assert_screen_shows(screen, (const char *const[ROWS]){"long l", "ine   ", "x     "}, 0xd0d0d0);
    screen_write(screen, "y");
    assert_screen_shows(screen, (const char *const[ROWS]){"long l", "ine   ", "xy    "}, 0xd0d0d0);
    screen_destroy(screen);
}

static void test_small_cell_buffer_limits_the_rows(void **state)
{
    (void)state;
    struct screen *screen = screen_create(&pixel_formats[0]);
    assert_true(framebuffer_text_initialise(&screen->text, &screen->framebuffer, screen->pixels,
                                            screen->font, screen->cells, COLUMNS * 2 + 1));
    framebuffer_text_clear(&screen->text);
    screen_write(screen, "1\n2\n3");
    assert_screen_shows(screen, (const char *const[ROWS]){"2     ", "3     ", "      "}, 0xd0d0d0);
    assert_false(framebuffer_text_initialise(&screen->text, &screen->framebuffer, screen->pixels,
                                             screen->font, screen->cells, COLUMNS - 1));
    screen_destroy(screen);
}

static void test_FW15_impossible_geometry_is_refused(void **state)
{
    (void)state;
    struct screen *screen = screen_create(&pixel_formats[0]);
    struct handoff_framebuffer *framebuffer = &screen->framebuffer;
    const struct handoff_framebuffer good = *framebuffer;

    *framebuffer = (struct handoff_framebuffer){0};
    assert_false(screen_start(screen));
    *framebuffer = good;
    framebuffer->width_pixels = 0;
    assert_false(screen_start(screen));
    framebuffer->width_pixels = CONSOLE_FONT_WIDTH_PIXELS - 1; /* too narrow for one column */
    assert_false(screen_start(screen));
    framebuffer->width_pixels = framebuffer->pitch_bytes; /* each pixel has four bytes */
    assert_false(screen_start(screen));
    framebuffer->width_pixels = UINT32_MAX;
    assert_false(screen_start(screen));

    *framebuffer = good;
    framebuffer->height_pixels = 0;
    assert_false(screen_start(screen));
    framebuffer->height_pixels = HEIGHT_PIXELS + 1; /* more than the size has */
    assert_false(screen_start(screen));
    framebuffer->height_pixels = CONSOLE_FONT_HEIGHT_PIXELS - 1;
    assert_false(screen_start(screen));

    for (unsigned bits = 0; bits <= 64; bits++) {
        *framebuffer = good;
        framebuffer->bits_per_pixel = (uint16_t)bits;
        assert_int_equal(screen_start(screen), bits == 8 || bits == 16 || bits == 24 || bits == 32);
    }
    screen_destroy(screen);
}

static void test_fine_screens_get_larger_glyphs(void **state)
{
    (void)state;
    static uint8_t pixels[2560 * 32 * 4];
    static char cells[FRAMEBUFFER_TEXT_COLUMN_LIMIT];
    struct screen *screen = screen_create(&pixel_formats[0]);
    screen->framebuffer.width_pixels = 2560;
    screen->framebuffer.height_pixels = 32;
    screen->framebuffer.pitch_bytes = 2560 * 4;
    screen->framebuffer.size_bytes = sizeof(pixels);

    assert_true(framebuffer_text_initialise(&screen->text, &screen->framebuffer, pixels,
                                            screen->font, cells, sizeof(cells)));
    framebuffer_text_clear(&screen->text);
    screen_write(screen, "A");
    for (size_t y = 0; y < 32; y++) {
        for (size_t x = 0; x < 16; x++) {
            unsigned line = screen->font[('A' - ' ') * 16 + (int)(y / 2)];
            bool lit = (line >> (7 - x / 2) & 1) != 0;
            assert_int_equal(pixels[(y * 2560 + x) * 4], lit ? 0xd0 : 0);
        }
    }
    screen_destroy(screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_FW15_every_pixel_format_is_drawn),
        cmocka_unit_test(test_padding_between_lines_is_not_touched),
        cmocka_unit_test(test_text_wraps_and_scrolls),
        cmocka_unit_test(test_control_and_foreign_characters),
        cmocka_unit_test(test_backspace_and_form_feed),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_hidden_text),
        cmocka_unit_test(test_small_cell_buffer_limits_the_rows),
        cmocka_unit_test(test_FW15_impossible_geometry_is_refused),
        cmocka_unit_test(test_fine_screens_get_larger_glyphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
