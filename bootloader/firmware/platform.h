/*
 * platform.h - collect the facts about the machine that the kernel needs from firmware and CPU.
 */
#ifndef BOOTLOADER_FIRMWARE_PLATFORM_H
#define BOOTLOADER_FIRMWARE_PLATFORM_H

#include "bootloader/firmware/console.h"
#include "bootloader/pure/platform_facts.h"

/* Collect all facts, except the screens. It cannot fail: a fact that is absent is zero. The log says
 * so if a kernel may need the fact. Only before the exit of boot services. */
void platform_gather(struct platform_facts *ret_facts);

/* Log the most important facts in one line. */
void platform_log(const struct platform_facts *facts);

#endif
