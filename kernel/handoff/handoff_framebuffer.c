/*
 * handoff_framebuffer.c - can the framebuffer be used, and is it one?
 */
#include "kernel/handoff/handoff_proof.h"
#include "shared/address.h"
#include "shared/direct_map.h"

static bool framebuffer_format_is_sound(const struct handoff_framebuffer *framebuffer)
{
    uint32_t depth = framebuffer->bits_per_pixel;
    uint64_t masks[] = {framebuffer->red_mask, framebuffer->green_mask, framebuffer->blue_mask};
    uint64_t seen = 0;
    switch (framebuffer->pixel_format) {
    case HANDOFF_PIXEL_FORMAT_RGBX8888:
    case HANDOFF_PIXEL_FORMAT_BGRX8888:
        return depth == 32;
    case HANDOFF_PIXEL_FORMAT_MASKS:
        break;
    default:
        return false;
    }
    if (depth != 8 && depth != 16 && depth != 24 && depth != 32)
        return false;
    for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        if (masks[i] == 0 || (masks[i] & seen) != 0 || masks[i] >> depth != 0)
            return false;
        seen |= masks[i];
    }
    return true;
}

static bool geometry_is_sound(const struct handoff_framebuffer *framebuffer)
{
    uint64_t line_bytes = (uint64_t)framebuffer->width_pixels * (framebuffer->bits_per_pixel / 8);
    /* 32 × 32 bits: the product cannot wrap. */
    uint64_t needed_bytes = (uint64_t)framebuffer->pitch_bytes * framebuffer->height_pixels;
    return line_bytes != 0 && needed_bytes != 0 && framebuffer->pitch_bytes >= line_bytes &&
           needed_bytes <= framebuffer->size_bytes;
}

/* RAM is mapped write-back and a framebuffer is not, so the type of memory tells them apart. */
static bool is_mapped(const struct handoff_proof *proof,
                      const struct handoff_framebuffer *framebuffer)
{
    struct page_permissions permissions = {
        .write = true,
        .memory_type = proof->tables.features.write_combining ? PAGE_MEMORY_WRITE_COMBINING
                                                              : PAGE_MEMORY_UNCACHED,
    };
    return handoff_proof_is_mapped(proof, proof->state->direct_map_base + framebuffer->base,
                                   framebuffer->base, framebuffer->size_bytes, permissions);
}

/* The first element of the array, of which nothing is proven yet: it is read only where the tables
 * in force have RAM. False if there is none. */
static bool first_framebuffer(const struct handoff_proof *proof,
                              struct handoff_framebuffer *ret_framebuffer)
{
    const struct handoff_array *array = &proof->handoff->framebuffers;
    uint64_t limit_bytes =
        direct_map_limit(proof->tables.features.levels).value - 2 * PAGE_SIZE_BYTES;
    if (array->count == 0 || array->stride_bytes < sizeof(*ret_framebuffer) ||
        array->first % sizeof(uint64_t) != 0 || array->first > limit_bytes)
        return false;
    uint64_t start = page_align_down(array->first);
    uint64_t end = page_align_up(array->first + sizeof(*ret_framebuffer));
    if (!handoff_proof_is_in_direct_map(proof, start, end - start))
        return false;
    *ret_framebuffer = *(const struct handoff_framebuffer *)handoff_proof_at(proof, array->first);
    return true;
}

enum handoff_framebuffer_status handoff_proof_of_screen(const struct handoff_proof *proof,
                                                        struct handoff_framebuffer *ret_framebuffer)
{
    *ret_framebuffer = (struct handoff_framebuffer){0};
    if (!first_framebuffer(proof, ret_framebuffer))
        return HANDOFF_FRAMEBUFFER_ABSENT;
    if (!framebuffer_format_is_sound(ret_framebuffer))
        return HANDOFF_FRAMEBUFFER_FORMAT;
    if (!geometry_is_sound(ret_framebuffer))
        return HANDOFF_FRAMEBUFFER_GEOMETRY;
    uint64_t limit_bytes = direct_map_limit(proof->tables.features.levels).value;
    if (!handoff_proof_is_block(ret_framebuffer->base, ret_framebuffer->size_bytes) ||
        ret_framebuffer->base + ret_framebuffer->size_bytes > limit_bytes)
        return HANDOFF_FRAMEBUFFER_PLACE;
    return is_mapped(proof, ret_framebuffer) ? HANDOFF_FRAMEBUFFER_OK
                                             : HANDOFF_FRAMEBUFFER_NOT_MAPPED;
}

enum handoff_framebuffer_status
handoff_proof_of_framebuffer(const struct handoff_proof *proof,
                             struct handoff_framebuffer *ret_framebuffer)
{
    enum handoff_framebuffer_status status = handoff_proof_of_screen(proof, ret_framebuffer);
    if (status != HANDOFF_FRAMEBUFFER_OK && status != HANDOFF_FRAMEBUFFER_NOT_MAPPED)
        return status;
    return handoff_proof_is_covered(proof, ret_framebuffer->base, ret_framebuffer->size_bytes,
                                    HANDOFF_REGION_FRAMEBUFFER)
               ? status
               : HANDOFF_FRAMEBUFFER_PLACE;
}
