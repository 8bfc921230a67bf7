/*
 * claims.h - the claims that are laid over the firmware's map: for the loader's blocks, the
 * framebuffer, and the firmware's tables.
 *
 * Pure.
 */
#ifndef BOOTLOADER_PURE_CLAIMS_H
#define BOOTLOADER_PURE_CLAIMS_H

#include "bootloader/pure/firmware_tables.h"
#include "bootloader/pure/memory_map.h"

/* Temporary heap, kernel, stack, the page for starting processors, handoff data, page tables, the
 * trampoline, and a file while it is read. */
#define CLAIMS_BLOCK_LIMIT 9

/* The blocks, the loader's image, the framebuffer, the firmware's tables. */
#define CLAIMS_LIMIT (CLAIMS_BLOCK_LIMIT + 2 + FIRMWARE_TABLES_LIMIT)

struct claims {
    size_t count;
    struct memory_map_claim list[CLAIMS_LIMIT];
};

/* Begin with the blocks of pages that the firmware gave: at most CLAIMS_BLOCK_LIMIT. */
void claims_begin(struct claims *claims, const struct memory_map_claim *blocks, size_t block_count);

/* Add a range. Precondition: there is room. */
void claims_add(struct claims *claims, const struct phys_range *range,
                enum handoff_region_type type);

/* Add the pages of the firmware's tables. Those whose length is unknown, or which lie beyond
 * `limit_bytes`, where the direct map ends, are left out. */
void claims_add_tables(struct claims *claims, const struct firmware_tables *tables,
                       uint64_t limit_bytes);

#endif
