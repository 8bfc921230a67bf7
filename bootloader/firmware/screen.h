/*
 * screen.h - the linear framebuffer that the firmware's console uses.
 */
#ifndef BOOTLOADER_FIRMWARE_SCREEN_H
#define BOOTLOADER_FIRMWARE_SCREEN_H

#include "bootloader/firmware/firmware.h"
#include "shared/handoff.h"

/* Describe the first graphics output with a linear framebuffer. Return false, and write nothing, if
 * no output has one. */
bool screen_find(const struct firmware *firmware, struct handoff_framebuffer *ret_framebuffer);

#endif
