/*
 * framebuffer.h - convert a mode of the firmware's graphics output to the framebuffer of the
 * handoff.
 *
 * The numbers are untrusted. Some firmware has modes without a size, or framebuffers at impossible
 * addresses. Pure: numbers in, struct out. Catalogue FW15, G1, G2.
 */
#ifndef BOOTLOADER_PURE_FRAMEBUFFER_H
#define BOOTLOADER_PURE_FRAMEBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"

/* UEFI 2.10, 12.9.2.1: EFI_GRAPHICS_PIXEL_FORMAT. */
#define FRAMEBUFFER_PIXELS_RGBX     0u
#define FRAMEBUFFER_PIXELS_BGRX     1u
#define FRAMEBUFFER_PIXELS_MASKS    2u
#define FRAMEBUFFER_PIXELS_BLT_ONLY 3u

/* EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE and its mode information, as far as they matter. */
struct framebuffer_mode {
    uint64_t base;       /* physical */
    uint64_t size_bytes; /* not trusted: some firmware states 0, or too little */
    uint32_t width_pixels;
    uint32_t height_pixels;
    uint32_t pixels_per_line;
    uint32_t pixel_format; /* FRAMEBUFFER_PIXELS_* */
    uint32_t red_mask;     /* these four count only for FRAMEBUFFER_PIXELS_MASKS */
    uint32_t green_mask;
    uint32_t blue_mask;
    uint32_t reserved_mask;
};

/* Return true if a mode has a linear framebuffer with possible numbers. Its place is not looked at:
 * a mode that is not in force has none. */
bool framebuffer_is_linear(const struct framebuffer_mode *mode);

/* Describe a mode. Return false, and do not write *ret_framebuffer, if there is no linear
 * framebuffer, or if it is not page-aligned, lies beyond the direct map, or has impossible numbers.
 * The size is pitch x height in whole pages. The size that the firmware states is not used. */
bool framebuffer_describe(const struct framebuffer_mode *mode,
                          struct handoff_framebuffer *ret_framebuffer)
    __attribute__((warn_unused_result));

/* Return true if the firmware states fewer bytes than the pixels take. */
bool framebuffer_size_is_short(const struct framebuffer_mode *mode,
                               const struct handoff_framebuffer *framebuffer);

/* A machine with more screens hands over the first ones. */
#define FRAMEBUFFER_LIMIT 16

/* It begins as zeros. */
struct framebuffer_list {
    size_t count;
    struct handoff_framebuffer list[FRAMEBUFFER_LIMIT];
};

/* Add a framebuffer. Do nothing if the list has one at the same address: firmware shows one screen
 * under several handles. Return false if the list is full. */
bool framebuffer_list_add(struct framebuffer_list *list,
                          const struct handoff_framebuffer *framebuffer);

/* Remove the framebuffer with this index. The order of the others stays. An empty list has zeros in
 * its first entry, which stands for "no screen". */
void framebuffer_list_remove(struct framebuffer_list *list, size_t index);

#endif
