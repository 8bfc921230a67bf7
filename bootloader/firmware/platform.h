/*
 * platform.h - ask the firmware and the CPU for what the kernel wants to know of the machine.
 */
#ifndef BOOTLOADER_FIRMWARE_PLATFORM_H
#define BOOTLOADER_FIRMWARE_PLATFORM_H

#include "bootloader/firmware/console.h"
#include "bootloader/pure/platform_facts.h"

/* Gather all of it. Nothing here is an error: what is absent is zero, and said in the log where a
 * kernel may miss it. Boot phase only. */
void platform_gather(const struct firmware *firmware, struct console *console,
                     struct platform_facts *ret_facts);

#endif
