#include "bootloader/pure/framebuffer.h"

#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/memory.h"

#define FIRST_BYTE_MASK  UINT32_C(0x000000ff)
#define SECOND_BYTE_MASK UINT32_C(0x0000ff00)
#define THIRD_BYTE_MASK  UINT32_C(0x00ff0000)
#define FOURTH_BYTE_MASK UINT32_C(0xff000000)

/* The highest mask bit, rounded up to whole bytes, is the size of a pixel (UEFI 2.10, 12.9.2.1). */
static uint16_t bits_per_pixel(const struct framebuffer_mode *mode)
{
    uint32_t all = mode->red_mask | mode->green_mask | mode->blue_mask | mode->reserved_mask;
    uint16_t bits = 0;
    for (; all != 0; all >>= 8)
        bits = (uint16_t)(bits + 8);
    return bits;
}

static void set_bytes(struct handoff_framebuffer *framebuffer, enum handoff_pixel_format format)
{
    bool red_first = format == HANDOFF_PIXEL_FORMAT_RGBX8888;
    framebuffer->pixel_format = (uint16_t)format;
    framebuffer->bits_per_pixel = 32;
    framebuffer->red_mask = red_first ? FIRST_BYTE_MASK : THIRD_BYTE_MASK;
    framebuffer->green_mask = SECOND_BYTE_MASK;
    framebuffer->blue_mask = red_first ? THIRD_BYTE_MASK : FIRST_BYTE_MASK;
    framebuffer->reserved_mask = FOURTH_BYTE_MASK;
}

static void set_masks(struct handoff_framebuffer *framebuffer, const struct framebuffer_mode *mode)
{
    framebuffer->pixel_format = HANDOFF_PIXEL_FORMAT_MASKS;
    framebuffer->bits_per_pixel = bits_per_pixel(mode);
    framebuffer->red_mask = mode->red_mask;
    framebuffer->green_mask = mode->green_mask;
    framebuffer->blue_mask = mode->blue_mask;
    framebuffer->reserved_mask = mode->reserved_mask;
}

/* False for a format without a linear framebuffer, also one of a later specification. */
static bool set_format(struct handoff_framebuffer *framebuffer, const struct framebuffer_mode *mode)
{
    switch (mode->pixel_format) {
    case FRAMEBUFFER_PIXELS_RGBX:
        set_bytes(framebuffer, HANDOFF_PIXEL_FORMAT_RGBX8888);
        return true;
    case FRAMEBUFFER_PIXELS_BGRX:
        set_bytes(framebuffer, HANDOFF_PIXEL_FORMAT_BGRX8888);
        return true;
    case FRAMEBUFFER_PIXELS_MASKS:
        set_masks(framebuffer, mode);
        return framebuffer->bits_per_pixel != 0;
    default:
        return false;
    }
}

/* 16 bits for each side keep every product below 2^64. */
static bool size_is_possible(const struct framebuffer_mode *mode)
{
    return mode->width_pixels != 0 && mode->height_pixels != 0 &&
           mode->width_pixels <= mode->pixels_per_line && mode->pixels_per_line <= UINT16_MAX &&
           mode->height_pixels <= UINT16_MAX;
}

bool framebuffer_is_linear(const struct framebuffer_mode *mode)
{
    struct handoff_framebuffer framebuffer;
    return size_is_possible(mode) && set_format(&framebuffer, mode);
}

bool framebuffer_describe(const struct framebuffer_mode *mode,
                          struct handoff_framebuffer *ret_framebuffer)
{
    struct handoff_framebuffer framebuffer = {.base = mode->base};
    if (mode->base == 0 || !page_is_aligned(mode->base) || !size_is_possible(mode) ||
        !set_format(&framebuffer, mode))
        return false;

    uint64_t pitch_bytes = (uint64_t)mode->pixels_per_line * (framebuffer.bits_per_pixel / 8);
    uint64_t used_bytes = pitch_bytes * mode->height_pixels;
    framebuffer.size_bytes = page_align_up(used_bytes);
    if (framebuffer.base > DIRECT_MAP_LIMIT_BYTES_4_LEVELS - framebuffer.size_bytes)
        return false;

    framebuffer.width_pixels = mode->width_pixels;
    framebuffer.height_pixels = mode->height_pixels;
    framebuffer.pitch_bytes = (uint32_t)pitch_bytes;
    *ret_framebuffer = framebuffer;
    return true;
}

bool framebuffer_size_is_short(const struct framebuffer_mode *mode,
                               const struct handoff_framebuffer *framebuffer)
{
    return mode->size_bytes < (uint64_t)framebuffer->pitch_bytes * framebuffer->height_pixels;
}

bool framebuffer_list_add(struct framebuffer_list *list,
                          const struct handoff_framebuffer *framebuffer)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->list[i].base == framebuffer->base)
            return true;
    }
    if (list->count == FRAMEBUFFER_LIMIT)
        return false;
    list->list[list->count++] = *framebuffer;
    return true;
}

void framebuffer_list_remove(struct framebuffer_list *list, size_t index)
{
    list->count--;
    memmove(&list->list[index], &list->list[index + 1],
            (list->count - index) * sizeof(list->list[0]));
    memset(&list->list[list->count], 0, sizeof(list->list[0]));
}
