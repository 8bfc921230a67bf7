/*
 * pixel_formats.h - a framebuffer of every kind that the loader hands over, for the tests of what
 * draws on one.
 */
#ifndef TESTS_UNIT_SUPPORT_PIXEL_FORMATS_H
#define TESTS_UNIT_SUPPORT_PIXEL_FORMATS_H

#include "shared/handoff.h"

static const struct handoff_framebuffer pixel_formats[] = {
    {.pixel_format = HANDOFF_PIXEL_FORMAT_RGBX8888,
     .bits_per_pixel = 32,
     .red_mask = 0xff,
     .green_mask = 0xff00,
     .blue_mask = 0xff0000},
    {.pixel_format = HANDOFF_PIXEL_FORMAT_BGRX8888,
     .bits_per_pixel = 32,
     .red_mask = 0xff0000,
     .green_mask = 0xff00,
     .blue_mask = 0xff},
    {.pixel_format = HANDOFF_PIXEL_FORMAT_MASKS, /* 10 bits for each colour */
     .bits_per_pixel = 32,
     .red_mask = 0x3ff00000,
     .green_mask = 0xffc00,
     .blue_mask = 0x3ff},
    {.pixel_format = HANDOFF_PIXEL_FORMAT_MASKS, /* colours up to the highest bit */
     .bits_per_pixel = 32,
     .red_mask = 0xff000000,
     .green_mask = 0xff0000,
     .blue_mask = 0xff00},
    {.pixel_format = HANDOFF_PIXEL_FORMAT_MASKS,
     .bits_per_pixel = 24,
     .red_mask = 0xff0000,
     .green_mask = 0xff00,
     .blue_mask = 0xff},
    {.pixel_format = HANDOFF_PIXEL_FORMAT_MASKS,
     .bits_per_pixel = 16,
     .red_mask = 0xf800,
     .green_mask = 0x7e0,
     .blue_mask = 0x1f},
    {.pixel_format = HANDOFF_PIXEL_FORMAT_MASKS,
     .bits_per_pixel = 8,
     .red_mask = 0xe0,
     .green_mask = 0x1c,
     .blue_mask = 0x3},
};
#define PIXEL_FORMAT_COUNT (sizeof(pixel_formats) / sizeof(pixel_formats[0]))

#endif
