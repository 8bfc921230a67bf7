/*
 * leave.h - leave the firmware: the exit of boot services.
 */
#ifndef BOOTLOADER_LEAVE_H
#define BOOTLOADER_LEAVE_H

#include "bootloader/loader.h"

/* Show the log, exit boot services with the final memory map in the block, and install the loader's
 * fault handlers. Failures: MEMORY_MAP, EXIT, and those of the reservations. */
bool leave_firmware(struct loader *loader);

#endif
