/*
 * firmware_model.h - the firmware as far as the loader needs it: a memory map, and AllocatePages
 * that changes it.
 *
 * A block is taken as OVMF takes it: from the top of the highest free memory below 4 GiB, else of
 * the highest anywhere. Its pages become a row of their own; the rows they are taken from are cut
 * (UEFI 2.10, section 7.2.1, EFI_ALLOCATE_ANY_PAGES). Which memory is free is asked of the
 * production code, since rows may overlap and lie.
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

/* Copies the rows. Ends the process if the host has no memory. */
void firmware_model_create(struct firmware_model *firmware,
                           const struct memory_map_descriptor *rows, size_t row_count);
void firmware_model_destroy(struct firmware_model *firmware);

/* The rows as regions, sorted and disjoint, in an array that the caller frees.
 * On failure *ret_regions is not written. */
enum memory_map_status
firmware_model_regions(const struct firmware_model *firmware, const struct memory_map_claim *claims,
                       size_t claim_count, struct handoff_region **ret_regions,
                       struct memory_map_result *ret_result) __attribute__((warn_unused_result));

/* Take `size_bytes` (a multiple of the page, not 0) as `efi_type`; `limit_bytes` is one past the
 * highest address that may be used. False, and nothing changed, if no free region is large enough.
 */
bool firmware_model_allocate(struct firmware_model *firmware, uint64_t size_bytes,
                             uint32_t efi_type, uint64_t limit_bytes, uint64_t *ret_base)
    __attribute__((warn_unused_result));

#endif
