/*
 * framebuffer.h - convert a mode of the firmware's graphics output to the framebuffer of the
 * handoff.
 *
 * The numbers are untrusted. Some firmware has modes without a size, or framebuffers at impossible
 * addresses. Pure: numbers in, struct out. Catalogue FW15.
 */
#ifndef BOOTLOADER_PURE_FRAMEBUFFER_H
#define BOOTLOADER_PURE_FRAMEBUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/handoff.h"

/* UEFI 2.10, 12.9.2.1: EFI_GRAPHICS_PIXEL_FORMAT. */
#define FRAMEBUFFER_PIXELS_RGBX     0u
#define FRAMEBUFFER_PIXELS_BGRX     1u
#define FRAMEBUFFER_PIXELS_MASKS    2u
#define FRAMEBUFFER_PIXELS_BLT_ONLY 3u

/* EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE and its mode information, as far as they matter. */
struct framebuffer_mode {
    uint64_t base; /* physical */
    uint64_t size_bytes;
    uint32_t width_pixels;
    uint32_t height_pixels;
    uint32_t pixels_per_line;
    uint32_t pixel_format; /* FRAMEBUFFER_PIXELS_* */
    uint32_t red_mask;     /* these four count only for FRAMEBUFFER_PIXELS_MASKS */
    uint32_t green_mask;
    uint32_t blue_mask;
    uint32_t reserved_mask;
};

/* Describe a mode. Return false, and do not write *ret_framebuffer, if there is no linear
 * framebuffer, or if it is not page-aligned, lies beyond the direct map, or has impossible numbers.
 */
bool framebuffer_describe(const struct framebuffer_mode *mode,
                          struct handoff_framebuffer *ret_framebuffer)
    __attribute__((warn_unused_result));

#endif
