#include "kernel/screen/canvas.h"

#include "shared/text/console_font.h"
#include "shared/text/pixel_format.h"

bool canvas_initialise(struct canvas *ret_canvas, const struct handoff_framebuffer *framebuffer,
                       void *pixels, const uint8_t *font)
{
    if (!pixel_format_is_sane(framebuffer))
        return false;
    *ret_canvas = (struct canvas){framebuffer, pixels, font};
    return true;
}

/* Return how much of `size` fits between `start` and `limit`. */
static uint32_t cut(uint32_t start, uint32_t size, uint32_t limit)
{
    uint32_t room = start < limit ? limit - start : 0;
    return size < room ? size : room;
}

/* For pixels of four bytes, which nearly every screen has: two in each store. */
static void fill_line_wide(uint8_t *pixel, uint32_t count, uint32_t value)
{
    uint64_t pair = (uint64_t)value << 32 | value;
    for (; count >= 2; count -= 2, pixel += sizeof pair)
        __builtin_memcpy(pixel, &pair, sizeof pair);
    if (count > 0)
        __builtin_memcpy(pixel, &value, sizeof value);
}

static void fill_line(uint8_t *pixel, uint32_t count, uint32_t value, uint32_t pixel_size_bytes)
{
    if (pixel_size_bytes == sizeof value) {
        fill_line_wide(pixel, count, value);
        return;
    }
    for (; count > 0; count--, pixel += pixel_size_bytes)
        pixel_write(pixel, value, pixel_size_bytes);
}

/* Fill a rectangle with a pixel value. */
static void fill(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t width_pixels,
                 uint32_t height_pixels, uint32_t value)
{
    const struct handoff_framebuffer *framebuffer = canvas->framebuffer;
    uint32_t pixel_size_bytes = framebuffer->bits_per_pixel / 8u;
    uint32_t width = cut(left, width_pixels, framebuffer->width_pixels);
    uint32_t height = cut(top, height_pixels, framebuffer->height_pixels);
    for (uint32_t y = 0; y < height; y++)
        fill_line(canvas->pixels + (size_t)(top + y) * framebuffer->pitch_bytes +
                      (size_t)left * pixel_size_bytes,
                  width, value, pixel_size_bytes);
}

void canvas_fill(const struct canvas *canvas, uint32_t left, uint32_t top, uint32_t width_pixels,
                 uint32_t height_pixels, uint32_t rgb)
{
    fill(canvas, left, top, width_pixels, height_pixels,
         pixel_format_value(canvas->framebuffer, rgb));
}

static const uint8_t *glyph_of(const struct canvas *canvas, char character)
{
    if (character < CONSOLE_FONT_FIRST || character > CONSOLE_FONT_LAST)
        character = '?';
    return canvas->font + (size_t)(character - CONSOLE_FONT_FIRST) * CONSOLE_FONT_HEIGHT_PIXELS;
}

/* Draw one line of pixels of a glyph, `scale` lines high: one rectangle for pixels that are alike.
 * values[1] is the foreground. */
static void draw_glyph_line(const struct canvas *canvas, uint32_t left, uint32_t top,
                            uint32_t scale, unsigned bits, const uint32_t values[2])
{
    uint32_t start = 0;
    for (uint32_t x = 1; x <= CONSOLE_FONT_WIDTH_PIXELS; x++) {
        unsigned bit = bits >> (CONSOLE_FONT_WIDTH_PIXELS - x) & 1;
        if (x < CONSOLE_FONT_WIDTH_PIXELS &&
            bit == (bits >> (CONSOLE_FONT_WIDTH_PIXELS - 1 - x) & 1))
            continue;
        fill(canvas, left + start * scale, top, (x - start) * scale, scale, values[bit]);
        start = x;
    }
}

void canvas_text(const struct canvas *canvas, uint32_t left, uint32_t top,
                 const struct canvas_style *style, const char *text, size_t length)
{
    const uint32_t values[2] = {
        pixel_format_value(canvas->framebuffer, style->background_rgb),
        pixel_format_value(canvas->framebuffer, style->foreground_rgb),
    };
    uint32_t scale = style->scale;
    for (size_t i = 0; i < length && left < canvas->framebuffer->width_pixels; i++) {
        const uint8_t *glyph = glyph_of(canvas, text[i]);
        for (uint32_t y = 0; y < CONSOLE_FONT_HEIGHT_PIXELS; y++)
            draw_glyph_line(canvas, left, top + y * scale, scale, glyph[y], values);
        left += CONSOLE_FONT_WIDTH_PIXELS * scale;
    }
}
