/*
 * Draw the overview of the sample as a picture (PPM) on the standard output:
 * overview_picture FONT WIDTH HEIGHT FORMAT
 *
 * FORMAT is an index of tests/unit/support/pixel_formats.h. The pixels go through the framebuffer's
 * format and back, so a picture has the colours that a screen of this format shows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/screen/overview_page.h"
#include "shared/text/console_font.h"
#include "tests/unit/support/overview_sample.h"
#include "tests/unit/support/pixel_formats.h"

static uint8_t font[CONSOLE_FONT_GLYPH_COUNT * CONSOLE_FONT_HEIGHT_PIXELS];

static void fail(const char *reason)
{
    (void)fprintf(stderr, "overview_picture: %s\n", reason);
    exit(1);
}

static void read_font(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(font, 1, sizeof font, file) != sizeof font)
        fail("the font cannot be read");
    (void)fclose(file);
}

/* Return the channel of a pixel value, from 0 to 255. */
static int channel(uint32_t value, uint32_t mask)
{
    uint32_t lowest = mask & (~mask + 1);
    return (int)((uint64_t)((value & mask) / lowest) * 255 / (mask / lowest));
}

static void write_picture(const struct handoff_framebuffer *framebuffer, const uint8_t *pixels)
{
    uint32_t pixel_size_bytes = framebuffer->bits_per_pixel / 8u;
    printf("P6\n%u %u\n255\n", framebuffer->width_pixels, framebuffer->height_pixels);
    for (uint32_t y = 0; y < framebuffer->height_pixels; y++) {
        for (uint32_t x = 0; x < framebuffer->width_pixels; x++) {
            uint32_t value = 0;
            memcpy(&value,
                   pixels + (size_t)y * framebuffer->pitch_bytes + (size_t)x * pixel_size_bytes,
                   pixel_size_bytes);
            (void)putchar(channel(value, framebuffer->red_mask));
            (void)putchar(channel(value, framebuffer->green_mask));
            (void)putchar(channel(value, framebuffer->blue_mask));
        }
    }
}

int main(int count, char **words)
{
    static struct overview overview;
    struct canvas canvas;
    if (count != 5 || strtoul(words[4], NULL, 10) >= PIXEL_FORMAT_COUNT)
        fail("name a font, a width, a height and a format");
    struct handoff_framebuffer framebuffer = pixel_formats[strtoul(words[4], NULL, 10)];
    framebuffer.width_pixels = (uint32_t)strtoul(words[2], NULL, 10);
    framebuffer.height_pixels = (uint32_t)strtoul(words[3], NULL, 10);
    framebuffer.pitch_bytes = framebuffer.width_pixels * framebuffer.bits_per_pixel / 8u;
    framebuffer.size_bytes = (uint64_t)framebuffer.pitch_bytes * framebuffer.height_pixels;
    uint8_t *pixels = malloc(framebuffer.size_bytes);
    read_font(words[1]);
    overview_sample(&overview);
    if (pixels == NULL || !canvas_initialise(&canvas, &framebuffer, pixels, font) ||
        !overview_page_draw(&canvas, &overview))
        fail("the screen is too small");
    write_picture(&framebuffer, pixels);
    free(pixels);
    return ferror(stdout) != 0 || fflush(stdout) != 0;
}
