/*
 * graphics_output.h - one graphics output of the firmware: a screen, or all screens at once
 * (UEFI 2.10, sections 12.9 and 12.10).
 *
 * The protocol's data is untrusted: pointers may be NULL, and a mode may not have been started.
 */
#ifndef BOOTLOADER_FIRMWARE_GRAPHICS_OUTPUT_H
#define BOOTLOADER_FIRMWARE_GRAPHICS_OUTPUT_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/framebuffer.h"
#include "bootloader/pure/screen_mode.h"

struct graphics_output {
    EFI_HANDLE handle;
    EFI_GRAPHICS_OUTPUT_PROTOCOL *protocol;
    unsigned number; /* from 1 on, in the firmware's order */
    bool is_console; /* the firmware's console shows its text there */
};

/* Open the output of a handle. Return false, and write nothing, if the firmware does not give its
 * protocol. */
bool graphics_output_open(EFI_HANDLE handle, unsigned number, struct graphics_output *ret_output);

/* Start the mode that the output names, or else mode 0, if the firmware has not started one. Return
 * the status of SetMode(), or EFI_NOT_STARTED if the output has no mode after it.
 *   ret_was_started  true: there was nothing to do */
EFI_STATUS graphics_output_start(const struct graphics_output *output, bool *ret_was_started);

/* Read the mode in force. If the output has no mode, return false and write nothing. */
bool graphics_output_read(const struct graphics_output *output, struct framebuffer_mode *ret_mode);

/* Read the mode `mode_number`, without its place in memory. Return false, and write nothing, if the
 * firmware does not describe it. */
bool graphics_output_query(const struct graphics_output *output, UINT32 mode_number,
                           struct framebuffer_mode *ret_mode);

/* Write the native size of the screen. Return false, and write nothing, if the firmware has no good
 * EDID for the output. */
bool graphics_output_native_size(const struct graphics_output *output,
                                 struct screen_size *ret_size);

#endif
