/*
 * firmware_model.h - the part of the firmware that the loader needs: a memory map, and
 * AllocatePages, which changes it. Blocks are allocated as in OVMF: from the top of the highest
 * free memory below 4 GiB, else of the highest free memory. The block's pages become a new row, and
 * the rows that had them become shorter (UEFI 2.10, section 7.2.1, EFI_ALLOCATE_ANY_PAGES). The
 * production code decides which memory is free, since rows may overlap and be wrong.
 */
#ifndef HOST_SIMULATOR_FIRMWARE_MODEL_H
#define HOST_SIMULATOR_FIRMWARE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/memory_map.h"

struct firmware_model {
    struct memory_map_descriptor *rows; /* grown as needed */
    size_t row_count;
    size_t row_capacity;
};

/* Copy the rows. End the process if the host has no memory. */
void firmware_model_create(struct firmware_model *firmware,
                           const struct memory_map_descriptor *rows, size_t row_count);
void firmware_model_destroy(struct firmware_model *firmware);

/* Convert the rows to regions, sorted and disjoint, in an array that the caller frees. On failure
 * *ret_regions is not written. */
enum memory_map_status
firmware_model_regions(const struct firmware_model *firmware, const struct memory_map_claim *claims,
                       size_t claim_count, struct handoff_region **ret_regions,
                       struct memory_map_result *ret_result) __attribute__((warn_unused_result));

/* Allocate `size_bytes` (a multiple of the page, not 0) as `efi_type`. `limit_bytes` is one past
 * the highest address that may be used. Return false, and change nothing, if no free region is
 * large enough.
 */
bool firmware_model_allocate(struct firmware_model *firmware, uint64_t size_bytes,
                             uint32_t efi_type, uint64_t limit_bytes, uint64_t *ret_base)
    __attribute__((warn_unused_result));

/* Allocate the pages from `base` on (page-aligned). Return false, and change nothing, if one of them
 * is not free. */
bool firmware_model_allocate_at(struct firmware_model *firmware, uint64_t base, uint64_t size_bytes,
                                uint32_t efi_type) __attribute__((warn_unused_result));

#endif
