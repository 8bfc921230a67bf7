/*
 * pixel_format.h - colours as the pixels of a framebuffer, in every format that the loader hands
 * over: up to 32 bits, with a mask for each of red, green and blue.
 */
#ifndef SHARED_TEXT_PIXEL_FORMAT_H
#define SHARED_TEXT_PIXEL_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/handoff.h"

/* Return false if the framebuffer is absent, or if its numbers contradict each other. */
bool pixel_format_is_sane(const struct handoff_framebuffer *framebuffer);

/* Return the pixel value of a colour, 0xRRGGBB. */
uint32_t pixel_format_value(const struct handoff_framebuffer *framebuffer, uint32_t rgb);

/* Write byte by byte, because pixels of 24 bits have no alignment. The compiler joins the writes
 * where it can. */
static inline void pixel_write(uint8_t *pixel, uint32_t value, uint32_t pixel_size_bytes)
{
    switch (pixel_size_bytes) {
    case 4:
        pixel[3] = (uint8_t)(value >> 24);
        /* fall through */
    case 3:
        pixel[2] = (uint8_t)(value >> 16);
        /* fall through */
    case 2:
        pixel[1] = (uint8_t)(value >> 8);
        /* fall through */
    default:
        pixel[0] = (uint8_t)value;
    }
}

#endif
