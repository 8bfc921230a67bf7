/*
 * boot_record_place.h - the addresses of the boot record: the first one that is free has it.
 *
 * Firmware allocates from the top of memory, so these pages keep their content. They lie at the end
 * of 2 MiB, so that they split no large page, and at no start of 1 MiB, where some firmware tests
 * memory.
 */
#ifndef BOOTLOADER_PURE_BOOT_RECORD_PLACE_H
#define BOOTLOADER_PURE_BOOT_RECORD_PLACE_H

#define BOOT_RECORD_FIRST_PLACE  0x1fe000u
#define BOOT_RECORD_SECOND_PLACE 0x7fe000u

#endif
