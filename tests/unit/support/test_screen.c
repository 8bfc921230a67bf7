#include "tests/unit/support/test_screen.h"

#include <stdlib.h>
#include <string.h>

#include "shared/text/console_font.h"

static uint8_t font[CONSOLE_FONT_GLYPH_COUNT * CONSOLE_FONT_HEIGHT_PIXELS];

int test_screen_make_font(void **state)
{
    (void)state;
    for (unsigned i = 1; i < CONSOLE_FONT_GLYPH_COUNT; i++) {
        font[i * CONSOLE_FONT_HEIGHT_PIXELS] = (uint8_t)i;
        font[(i + 1) * CONSOLE_FONT_HEIGHT_PIXELS - 1] = (uint8_t)i;
    }
    return 0;
}

void test_screen_open(struct test_screen *screen, const struct handoff_framebuffer *format,
                      uint32_t width_pixels, uint32_t height_pixels, uint8_t content)
{
    struct handoff_framebuffer *framebuffer = &screen->framebuffer;
    *framebuffer = *format;
    framebuffer->width_pixels = width_pixels;
    framebuffer->height_pixels = height_pixels;
    framebuffer->pitch_bytes =
        (width_pixels + TEST_SCREEN_PADDING_PIXELS) * format->bits_per_pixel / 8u;
    framebuffer->size_bytes = (uint64_t)framebuffer->pitch_bytes * height_pixels;
    screen->pixels = malloc(framebuffer->size_bytes);
    if (screen->pixels == NULL)
        abort();
    memset(screen->pixels, content, framebuffer->size_bytes);
    if (!canvas_initialise(&screen->canvas, framebuffer, screen->pixels, font))
        abort();
}

const uint8_t *test_screen_pixel(const struct test_screen *screen, uint32_t x, uint32_t y)
{
    return screen->pixels + (size_t)y * screen->framebuffer.pitch_bytes +
           (size_t)x * screen->framebuffer.bits_per_pixel / 8u;
}

static bool is_alike(const struct test_screen *screen, const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, screen->framebuffer.bits_per_pixel / 8u) == 0;
}

/* Return the character of a cell. `paper` is a pixel of the background. Each pixel of the glyph must
 * be a square. */
static char read_cell(const struct test_screen *screen, uint32_t left, uint32_t top, uint32_t scale,
                      const uint8_t *paper)
{
    uint8_t glyph[CONSOLE_FONT_HEIGHT_PIXELS] = {0};
    for (uint32_t y = 0; y < CONSOLE_FONT_HEIGHT_PIXELS * scale; y++) {
        unsigned bits = 0;
        for (uint32_t x = 0; x < CONSOLE_FONT_WIDTH_PIXELS * scale; x++) {
            bool is_set = !is_alike(screen, test_screen_pixel(screen, left + x, top + y), paper);
            if (x % scale == 0)
                bits = bits << 1 | is_set;
            if ((bits & 1) != is_set)
                return TEST_SCREEN_UNREADABLE;
        }
        if (y % scale == 0)
            glyph[y / scale] = (uint8_t)bits;
        if (glyph[y / scale] != bits)
            return TEST_SCREEN_UNREADABLE;
    }
    for (unsigned i = 0; i < CONSOLE_FONT_GLYPH_COUNT; i++) {
        if (memcmp(glyph, font + i * CONSOLE_FONT_HEIGHT_PIXELS, sizeof glyph) == 0)
            return (char)(CONSOLE_FONT_FIRST + i);
    }
    return TEST_SCREEN_UNREADABLE;
}

void test_screen_read_row(const struct test_screen *screen, uint32_t left, uint32_t top,
                          uint32_t scale, char *text)
{
    size_t start = strlen(text);
    size_t end = start;
    const uint8_t *paper = test_screen_pixel(screen, 0, top);
    uint32_t width = CONSOLE_FONT_WIDTH_PIXELS * scale;
    for (size_t i = start; left + width <= screen->framebuffer.width_pixels; left += width, i++) {
        text[i] = read_cell(screen, left, top, scale, paper);
        if (text[i] != ' ')
            end = i + 1;
    }
    text[end] = '\n';
    text[end + 1] = '\0';
}
