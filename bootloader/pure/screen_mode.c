#include "bootloader/pure/screen_mode.h"

static uint64_t difference(uint32_t a, uint32_t b)
{
    return a < b ? b - a : a - b;
}

static uint64_t distance(struct screen_size a, struct screen_size b)
{
    return difference(a.width_pixels, b.width_pixels) +
           difference(a.height_pixels, b.height_pixels);
}

void screen_choice_consider(struct screen_choice *choice, uint32_t mode_number,
                            const struct framebuffer_mode *mode)
{
    struct screen_size size = {mode->width_pixels, mode->height_pixels};
    if (!framebuffer_is_linear(mode) ||
        (choice->has_mode &&
         distance(size, choice->wanted) >= distance(choice->size, choice->wanted)))
        return;
    choice->has_mode = true;
    choice->mode_number = mode_number;
    choice->size = size;
}

bool screen_choice_is_exact(const struct screen_choice *choice)
{
    return choice->has_mode && distance(choice->size, choice->wanted) == 0;
}
