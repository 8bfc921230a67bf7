/*
 * screen_mode.h - choose a mode of a graphics output by its size.
 *
 * Pure: numbers in, struct out. Catalogue G7.
 */
#ifndef BOOTLOADER_PURE_SCREEN_MODE_H
#define BOOTLOADER_PURE_SCREEN_MODE_H

#include <stdbool.h>
#include <stdint.h>

#include "bootloader/pure/framebuffer.h"

struct screen_size {
    uint32_t width_pixels;
    uint32_t height_pixels;
};

/* The best mode so far. */
struct screen_choice {
    struct screen_size wanted;
    bool has_mode; /* the fields below are valid */
    uint32_t mode_number;
    struct screen_size size;
};

/* Take the mode if no earlier one is as near to the wanted size. A mode without a linear
 * framebuffer is never taken. So the mode in force comes first: of two modes of one size it stays.
 * The distance is the sum of the differences in width and height. */
void screen_choice_consider(struct screen_choice *choice, uint32_t mode_number,
                            const struct framebuffer_mode *mode);

/* Return true if the choice has exactly the wanted size. */
bool screen_choice_is_exact(const struct screen_choice *choice);

#endif
