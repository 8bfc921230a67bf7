/*
 * clock.h - how fast the CPU's own clock runs.
 */
#ifndef BOOTLOADER_FIRMWARE_CLOCK_H
#define BOOTLOADER_FIRMWARE_CLOCK_H

#include "bootloader/firmware/firmware.h"

/* As the CPU states it, or measured with the firmware's clock; 0 if neither can be had. */
uint64_t clock_frequency_hz(const struct firmware *firmware);

#endif
