/*
 * clock.h - the frequency of the CPU's clock.
 */
#ifndef BOOTLOADER_FIRMWARE_CLOCK_H
#define BOOTLOADER_FIRMWARE_CLOCK_H

#include "bootloader/firmware/firmware.h"

/* Return the frequency that the CPU states, or else measure it with the firmware's clock. Return 0
 * if both fail. */
uint64_t clock_frequency_hz(const struct firmware *firmware);

#endif
