/*
 * exit.h - the exit of boot services: the memory map, and ExitBootServices().
 *
 * UEFI 2.10, 7.2.3 and 7.4.6. The map is valid only together with its key. Any allocation in
 * between makes the key stale, so the buffer is reserved before, with slack. After the first
 * ExitBootServices() that fails, only GetMemoryMap() and ExitBootServices() may be called. The map
 * is then read again into the same buffer, and nothing is allocated or printed.
 */
#ifndef BOOTLOADER_FIRMWARE_EXIT_H
#define BOOTLOADER_FIRMWARE_EXIT_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/efi_map.h"

/* Stale keys come from events that allocate while the map is fetched. Firmware that does so eight
 * times in a row is assumed never to stop. */
#define EXIT_ATTEMPT_LIMIT 8

/* Write the current size of the map in bytes, and its stride, to *ret_map. Its rows are not read.
 * Failure: MEMORY_MAP (the firmware returns no map, or an impossible stride). */
enum loader_error exit_measure_map(struct efi_map *ret_map) __attribute__((warn_unused_result));

/* Read the map into map->rows. Allocate nothing. Return the firmware's status, which is
 * EFI_BUFFER_TOO_SMALL if the map does not fit. */
EFI_STATUS exit_read_map(struct efi_map *map) __attribute__((warn_unused_result));

/* Call ExitBootServices() with the key of the map that exit_read_map() has just read. Precondition: no
 * firmware function was called since. On success the firmware is sealed. EFI_INVALID_PARAMETER means
 * that the key is stale: read the map again, and try again. */
EFI_STATUS exit_try(const struct efi_map *map) __attribute__((warn_unused_result));

#endif
