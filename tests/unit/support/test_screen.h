/*
 * test_screen.h - a framebuffer in memory, and a reader of the text on it, for the tests of what
 * draws on a canvas.
 */
#ifndef TESTS_UNIT_SUPPORT_TEST_SCREEN_H
#define TESTS_UNIT_SUPPORT_TEST_SCREEN_H

#include "kernel/screen/canvas.h"

/* Each line has some pixels outside of the screen. */
#define TEST_SCREEN_PADDING_PIXELS 5

/* A cell that is no glyph. */
#define TEST_SCREEN_UNREADABLE '\1'

struct test_screen {
    struct handoff_framebuffer framebuffer;
    uint8_t *pixels; /* exactly as many as it needs, so that ASan finds a pixel outside */
    struct canvas canvas;
};

/* Make the font of all screens, as the setup of a group. It has the number of a character in two
 * lines of the glyph. Only the blank is empty. */
int test_screen_make_font(void **state);

/* Open a screen of this format, with all bytes `content`. Abort without memory. The caller frees the
 * pixels. */
void test_screen_open(struct test_screen *screen, const struct handoff_framebuffer *format,
                      uint32_t width_pixels, uint32_t height_pixels, uint8_t content);

const uint8_t *test_screen_pixel(const struct test_screen *screen, uint32_t x, uint32_t y);

/* Append a row of text without its last blanks, and a newline. `scale` is the size of its letters.
 * The leftmost pixel of the row is background. Each pixel of a glyph must be a square. */
void test_screen_read_row(const struct test_screen *screen, uint32_t left, uint32_t top,
                          uint32_t scale, char *text);

#endif
