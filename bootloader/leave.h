/*
 * leave.h - the end of the firmware.
 */
#ifndef BOOTLOADER_LEAVE_H
#define BOOTLOADER_LEAVE_H

#include "bootloader/loader.h"

/* Show the log, exit boot services with the final memory map in the block, and let the CPU's faults
 * come to us. Failures: MEMORY_MAP, EXIT, and those of the reservations. */
bool leave_firmware(struct loader *loader);

#endif
