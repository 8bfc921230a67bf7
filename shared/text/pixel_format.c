#include "shared/text/pixel_format.h"

static unsigned mask_shift(uint32_t mask)
{
    unsigned shift = 0;
    while (((mask >> shift) & 1) == 0)
        shift++;
    return shift;
}

/* Scale an 8-bit intensity to the number of bits of the mask, and move it to these bits. */
static uint32_t channel_value(uint32_t intensity, uint32_t mask)
{
    if (mask == 0)
        return 0;
    unsigned shift = mask_shift(mask);
    uint64_t maximum = mask >> shift;
    return (uint32_t)(intensity * maximum / 255) << shift & mask;
}

uint32_t pixel_format_value(const struct handoff_framebuffer *framebuffer, uint32_t rgb)
{
    return channel_value(rgb >> 16 & 0xff, framebuffer->red_mask) |
           channel_value(rgb >> 8 & 0xff, framebuffer->green_mask) |
           channel_value(rgb & 0xff, framebuffer->blue_mask);
}

bool pixel_format_is_sane(const struct handoff_framebuffer *framebuffer)
{
    uint64_t pixel_size_bytes = framebuffer->bits_per_pixel / 8u;
    uint64_t pitch_bytes = framebuffer->pitch_bytes;

    return framebuffer->pixel_format != HANDOFF_PIXEL_FORMAT_NONE &&
           framebuffer->bits_per_pixel % 8u == 0 && pixel_size_bytes >= 1 &&
           pixel_size_bytes <= 4 && framebuffer->width_pixels != 0 &&
           framebuffer->height_pixels != 0 &&
           framebuffer->width_pixels * pixel_size_bytes <= pitch_bytes &&
           pitch_bytes * framebuffer->height_pixels <= framebuffer->size_bytes;
}
