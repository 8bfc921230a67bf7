/*
 * exit.h - leaving the firmware: the memory map, and ExitBootServices().
 *
 * UEFI 2.10, 7.2.3 and 7.4.6. The map is only valid together with the key that came with it; any
 * allocation in between makes the key stale, so the buffer is reserved beforehand with slack. After
 * the first ExitBootServices() that fails, only GetMemoryMap() and ExitBootServices() may be called.
 * The map is read again into the same buffer; nothing is allocated or printed.
 */
#ifndef BOOTLOADER_FIRMWARE_EXIT_H
#define BOOTLOADER_FIRMWARE_EXIT_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/efi_map.h"

/* Stale keys come from events that allocate while the map is fetched. A firmware that does so eight
 * times in a row never stops. */
#define EXIT_ATTEMPT_LIMIT 8

/* How many bytes the map has now, and its stride. *ret_map gets both and no rows.
 * Failure: MEMORY_MAP (the firmware gives none, or a stride that cannot be). */
enum loader_error exit_measure_map(const struct firmware *firmware, struct efi_map *ret_map)
    __attribute__((warn_unused_result));

/* Read the map into map->rows. Allocates nothing. Returns the firmware's status;
 * EFI_BUFFER_TOO_SMALL if it does not fit. */
EFI_STATUS exit_read_map(const struct firmware *firmware, struct efi_map *map)
    __attribute__((warn_unused_result));

/* Exit with the map that exit_read_map() has just read: nothing may have been called since. On
 * success the firmware is sealed, *map holds the map that the firmware accepted, and
 * *ret_attempt_count is the number of tries that it took.
 * Failure: EXIT: the firmware is sealed and half gone, and only post_exit.h may be used. */
enum loader_error exit_boot_services(struct firmware *firmware, struct efi_map *map,
                                     unsigned *ret_attempt_count)
    __attribute__((warn_unused_result));

#endif
