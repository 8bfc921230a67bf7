/*
 * boot_source.h - the partition that the loader came from.
 */
#ifndef BOOTLOADER_FIRMWARE_BOOT_SOURCE_H
#define BOOTLOADER_FIRMWARE_BOOT_SOURCE_H

#include "bootloader/firmware/firmware.h"
#include "shared/handoff.h"

/* Find the source. Write the partition's GUID to ret_partition if the result is PARTITION. */
enum handoff_boot_source boot_source_find(const struct firmware *firmware,
                                          uint8_t ret_partition[16]);

#endif
