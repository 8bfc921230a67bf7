/*
 * boot_source.h - the partition that the loader came from, and the program that started it.
 */
#ifndef BOOTLOADER_FIRMWARE_BOOT_SOURCE_H
#define BOOTLOADER_FIRMWARE_BOOT_SOURCE_H

#include "bootloader/firmware/firmware.h"
#include "shared/handoff.h"

/* Find the source. Write the partition's GUID to ret_partition if the result is PARTITION. */
enum handoff_boot_source boot_source_find(uint8_t ret_partition[16]);

/* Return true if the UEFI shell started the loader. */
bool boot_source_is_shell(void);

#endif
