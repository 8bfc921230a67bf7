/*
 * efi_map.h - the firmware's memory map as GetMemoryMap() gives it (UEFI 2.10, section 7.2.3).
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_EFI_MAP_H
#define BOOTLOADER_PURE_EFI_MAP_H

#include <stdint.h>

struct efi_map {
    void *rows; /* owned by the caller */
    uint64_t capacity_bytes;
    uint64_t size_bytes;
    uint64_t stride_bytes; /* from one row to the next */
    uint32_t version;      /* of the rows' layout */
    uint64_t key;          /* for ExitBootServices() */
};

#endif
