#include "kernel/handoff/handoff_framebuffer.h"

#include "kernel/handoff/handoff_validation.h"
#include "shared/address.h"
#include "shared/direct_map.h"

const char *handoff_framebuffer_text(enum handoff_framebuffer_status status)
{
    switch (status) {
    case HANDOFF_FRAMEBUFFER_OK:
        return "ok";
    case HANDOFF_FRAMEBUFFER_ABSENT:
        return "the handoff has no framebuffer";
    case HANDOFF_FRAMEBUFFER_FORMAT:
        return "unknown pixel format, depth or masks";
    case HANDOFF_FRAMEBUFFER_GEOMETRY:
        return "width, height, pitch and size contradict each other";
    case HANDOFF_FRAMEBUFFER_PLACE:
        return "misplaced, or not in regions of its type";
    case HANDOFF_FRAMEBUFFER_NOT_MAPPED:
        return "not mapped as a framebuffer in the direct map";
    }
    return "unknown status";
}

static bool masks_are_valid(const struct handoff_framebuffer *framebuffer)
{
    uint32_t depth = framebuffer->bits_per_pixel;
    uint64_t masks[] = {framebuffer->red_mask, framebuffer->green_mask, framebuffer->blue_mask};
    uint64_t seen = 0;
    if (depth != 8 && depth != 16 && depth != 24 && depth != 32)
        return false;
    for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        if (masks[i] == 0 || (masks[i] & seen) != 0 || masks[i] >> depth != 0)
            return false;
        seen |= masks[i];
    }
    return true;
}

static bool format_is_valid(const struct handoff_framebuffer *framebuffer)
{
    switch (framebuffer->pixel_format) {
    case HANDOFF_PIXEL_FORMAT_RGBX8888:
    case HANDOFF_PIXEL_FORMAT_BGRX8888:
        return framebuffer->bits_per_pixel == 32;
    case HANDOFF_PIXEL_FORMAT_MASKS:
        return masks_are_valid(framebuffer);
    default:
        return false;
    }
}

static bool geometry_is_valid(const struct handoff_framebuffer *framebuffer)
{
    uint64_t line_bytes = (uint64_t)framebuffer->width_pixels * (framebuffer->bits_per_pixel / 8);
    /* 32 × 32 bits: the product cannot wrap. */
    uint64_t needed_bytes = (uint64_t)framebuffer->pitch_bytes * framebuffer->height_pixels;
    return line_bytes != 0 && needed_bytes != 0 && framebuffer->pitch_bytes >= line_bytes &&
           needed_bytes <= framebuffer->size_bytes;
}

/* RAM is mapped write-back and a framebuffer is not, so the type of memory tells them apart. */
static bool is_mapped(const struct handoff_validation *validation, struct phys_range pixels)
{
    struct page_permissions permissions = {
        .write = true,
        .memory_type = validation->tables.features.write_combining ? PAGE_MEMORY_WRITE_COMBINING
                                                                   : PAGE_MEMORY_UNCACHED,
    };
    return handoff_validation_is_mapped(
        validation, handoff_validation_direct_map(validation, pixels.start), pixels, permissions);
}

/* Read the first element of the array, which is not validated yet. It is read only if the tables in
 * force map RAM there. Return false if the array is empty or cannot be read. */
static bool first_framebuffer(const struct handoff_validation *validation,
                              struct handoff_framebuffer *ret_framebuffer)
{
    const struct handoff_array *array = &validation->handoff->framebuffers;
    uint64_t limit_bytes =
        direct_map_limit(validation->tables.features.levels).value - 2 * PAGE_SIZE_BYTES;
    if (array->count == 0 || array->stride_bytes < sizeof(*ret_framebuffer) ||
        array->first % sizeof(uint64_t) != 0 || array->first > limit_bytes)
        return false;
    struct phys_range pages = phys_range(page_align_down(array->first),
                                         page_align_up(array->first + sizeof(*ret_framebuffer)));
    if (!handoff_validation_is_in_direct_map(validation, pages))
        return false;
    *ret_framebuffer = *(const struct handoff_framebuffer *)handoff_validation_at(
        validation, phys_addr(array->first));
    return true;
}

/* Check the fields by themselves. On OK write *ret_pixels. */
static enum handoff_framebuffer_status check_fields(const struct handoff_framebuffer *framebuffer,
                                                    uint64_t limit_bytes,
                                                    struct phys_range *ret_pixels)
{
    if (!format_is_valid(framebuffer))
        return HANDOFF_FRAMEBUFFER_FORMAT;
    if (!geometry_is_valid(framebuffer))
        return HANDOFF_FRAMEBUFFER_GEOMETRY;
    if (!handoff_validation_block(framebuffer->base, framebuffer->size_bytes, ret_pixels) ||
        ret_pixels->end.value > limit_bytes)
        return HANDOFF_FRAMEBUFFER_PLACE;
    return HANDOFF_FRAMEBUFFER_OK;
}

/* Write the range of the pixels to *ret_pixels, unless the fields are refused. */
static enum handoff_framebuffer_status check_mapping(const struct handoff_validation *validation,
                                                     struct handoff_framebuffer *ret_framebuffer,
                                                     struct phys_range *ret_pixels)
{
    *ret_framebuffer = (struct handoff_framebuffer){0};
    if (!first_framebuffer(validation, ret_framebuffer))
        return HANDOFF_FRAMEBUFFER_ABSENT;
    enum handoff_framebuffer_status status = check_fields(
        ret_framebuffer, direct_map_limit(validation->tables.features.levels).value, ret_pixels);
    if (status != HANDOFF_FRAMEBUFFER_OK)
        return status;
    return is_mapped(validation, *ret_pixels) ? HANDOFF_FRAMEBUFFER_OK
                                              : HANDOFF_FRAMEBUFFER_NOT_MAPPED;
}

enum handoff_framebuffer_status
handoff_framebuffer_check_mapping(const struct handoff_validation *validation,
                                  struct handoff_framebuffer *ret_framebuffer)
{
    struct phys_range pixels;
    return check_mapping(validation, ret_framebuffer, &pixels);
}

enum handoff_framebuffer_status
handoff_framebuffer_check(const struct handoff_validation *validation,
                          struct handoff_framebuffer *ret_framebuffer)
{
    struct phys_range pixels;
    enum handoff_framebuffer_status status = check_mapping(validation, ret_framebuffer, &pixels);
    if (status != HANDOFF_FRAMEBUFFER_OK && status != HANDOFF_FRAMEBUFFER_NOT_MAPPED)
        return status;
    return handoff_validation_is_covered(validation, pixels, HANDOFF_REGION_FRAMEBUFFER)
               ? status
               : HANDOFF_FRAMEBUFFER_PLACE;
}
