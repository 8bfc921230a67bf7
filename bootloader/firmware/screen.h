/*
 * screen.h - the machine's screens: which one the kernel gets first, and in which mode.
 */
#ifndef BOOTLOADER_FIRMWARE_SCREEN_H
#define BOOTLOADER_FIRMWARE_SCREEN_H

#include "bootloader/firmware/console.h"
#include "bootloader/pure/config.h"
#include "bootloader/pure/framebuffer.h"

/* The mode that the loader has replaced. It begins as zeros. */
struct screen {
    EFI_GRAPHICS_OUTPUT_PROTOCOL *changed; /* NULL: none was replaced */
    UINT32 old_mode;
};

/* Describe all graphics outputs with a linear framebuffer, each once. First is that of `output` in
 * handoff.conf, else that of the firmware's console, else the first in the firmware's order. Start
 * outputs that are not started, and set the mode for `resolution`. It cannot fail: the log has a
 * warning for each fault, and a machine without such an output gets an empty list. */
void screen_gather(struct screen *screen, const struct config *config,
                   struct framebuffer_list *ret_list);

/* Set the old mode again, so that the firmware's console can be read. Precondition: the firmware is
 * not sealed. */
void screen_restore(struct screen *screen);

#endif
