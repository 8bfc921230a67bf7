/*
 * leave.h - leave the firmware: the exit of boot services.
 */
#ifndef BOOTLOADER_LEAVE_H
#define BOOTLOADER_LEAVE_H

#include "bootloader/loader.h"

/* Show the log, read the final memory map into the block, and build the regions and the page tables
 * from it. Then exit boot services, and install the loader's fault handlers. If the map changes in
 * between, build them again. Failures: EXIT, MEMORY_MAP, UNUSABLE_BLOCK, PAGE_TABLES, and those of
 * the reservations. */
bool leave_firmware(struct loader *loader);

#endif
