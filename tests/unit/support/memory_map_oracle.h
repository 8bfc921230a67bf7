/*
 * memory_map_oracle.h - find the type of a page of memory from all rows, without sorting, for the
 * unit tests and the fuzzer of bootloader/pure/memory_map.c.
 */
#ifndef TESTS_UNIT_SUPPORT_MEMORY_MAP_ORACLE_H
#define TESTS_UNIT_SUPPORT_MEMORY_MAP_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/memory_map.h"

#define MEMORY_MAP_ATTRIBUTE_SP      UINT64_C(0x40000)
#define MEMORY_MAP_ATTRIBUTE_RUNTIME UINT64_C(0x8000000000000000)

/* The firmware's rows and the loader's claims, as they were given to memory_map_convert(). */
struct memory_map_input {
    const struct memory_map_descriptor *rows;
    size_t row_count;
    const struct memory_map_claim *claims;
    size_t claim_count;
};

static inline struct memory_map_claim memory_map_claim_of(uint64_t base, uint64_t size_bytes,
                                                          enum handoff_region_type type)
{
    return (struct memory_map_claim){phys_range(base, base + size_bytes), type};
}

/* Return the region type for a row's type and attributes. */
uint32_t memory_map_oracle_type(uint32_t efi_type, uint64_t attributes);

/* Return the mistake of the regions for the page that begins at `page`, or NULL. */
const char *memory_map_page_problem(const struct memory_map_input *input,
                                    const struct handoff_region *regions, size_t region_count,
                                    uint64_t page);

/* Return the reason why the regions are not normalised, or NULL. */
const char *memory_map_normal_problem(const struct handoff_region *regions, size_t region_count);

#endif
