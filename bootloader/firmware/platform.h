/*
 * platform.h - ask the firmware and the CPU for the facts of the machine that the kernel needs.
 */
#ifndef BOOTLOADER_FIRMWARE_PLATFORM_H
#define BOOTLOADER_FIRMWARE_PLATFORM_H

#include "bootloader/firmware/console.h"
#include "bootloader/pure/platform_facts.h"

/* Gather all of them. Nothing here is an error: an absent fact is zero. The log says so if a kernel
 * may miss it. Boot phase only. */
void platform_gather(const struct firmware *firmware, struct console *console,
                     struct platform_facts *ret_facts);

#endif
