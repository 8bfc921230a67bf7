/*
 * memory_row.h - the rows of a firmware's memory map, as lesson 1 gives them to the reader.
 */
#ifndef LESSONS_MEMORY_ROW_H
#define LESSONS_MEMORY_ROW_H

#include <stdint.h>

/* The firmware counts memory in pages of this many bytes. */
#define PAGE_BYTES UINT64_C(4096)

/* The types of memory, with the numbers of the UEFI specification (2.10, section 7.2.3). */
enum efi_memory_type {
    EFI_TYPE_RESERVED = 0,
    EFI_TYPE_LOADER_CODE = 1,        /* the loader's program */
    EFI_TYPE_LOADER_DATA = 2,        /* what the loader allocated: the kernel, its first heap */
    EFI_TYPE_BOOT_SERVICES_CODE = 3, /* firmware that ends before the kernel begins */
    EFI_TYPE_BOOT_SERVICES_DATA = 4,
    EFI_TYPE_RUNTIME_SERVICES_CODE = 5, /* firmware that a kernel may still call */
    EFI_TYPE_RUNTIME_SERVICES_DATA = 6,
    EFI_TYPE_CONVENTIONAL = 7, /* free memory */
    EFI_TYPE_UNUSABLE = 8,     /* broken memory */
    EFI_TYPE_ACPI_RECLAIM = 9, /* tables that describe the machine, not read yet */
    EFI_TYPE_ACPI_NVS = 10,    /* memory that the firmware keeps for ever */
    EFI_TYPE_MEMORY_MAPPED_IO = 11,
};

/* One row of the map. It describes page_count * PAGE_BYTES bytes. */
struct memory_row {
    uint64_t start; /* the address of the first byte: a multiple of PAGE_BYTES */
    uint64_t page_count;
    uint32_t type; /* enum efi_memory_type, or a number that it does not have */
};

/* Memory without a gap. */
struct memory_run {
    uint64_t start;
    uint64_t size_bytes;
};

#endif
