/*
 * pages.h - every page that the loader takes from the firmware, in one short list.
 *
 * An error frees the blocks of the list, in reverse. After exit they are laid over the memory map:
 * each block is a claim with the type of region that the kernel will see.
 *
 * All blocks are EfiLoaderData from AllocateAnyPages (UEFI 2.10, section 7.2.1), or below a limit. A
 * fixed address would not be free in every build of a firmware. The firmware may mark
 * them non-executable; nothing in them is executed before the kernel's own page tables are live.
 * Boot phase only.
 */
#ifndef BOOTLOADER_FIRMWARE_PAGES_H
#define BOOTLOADER_FIRMWARE_PAGES_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/claims.h"
#include "shared/handoff.h"
#include "shared/range.h"

struct pages {
    struct firmware *firmware;
    size_t block_count;
    struct memory_map_claim blocks[CLAIMS_BLOCK_LIMIT]; /* page-aligned, not empty */
};

void pages_initialise(struct pages *pages, struct firmware *firmware);

/* For `limit`: anywhere. */
#define PAGES_NO_LIMIT phys_addr(0)

/* Take `size_bytes`, rounded up to whole pages. The content is undefined. A block at address 0 is
 * never used: a zero means "none" in the handoff, and page 0 catches null pointers.
 *   limit  the block ends at or below it
 * Failures: OUT_OF_MEMORY (also for size 0), BAD_ALLOCATION (the block overlaps the loader's image
 * or another block: nothing can be relied on). On failure *ret_block is not written. */
enum loader_error pages_allocate_below(struct pages *pages, uint64_t size_bytes,
                                       struct phys_addr limit, enum handoff_region_type type,
                                       struct phys_range *ret_block)
    __attribute__((warn_unused_result));

/* The same, anywhere. */
enum loader_error pages_allocate(struct pages *pages, uint64_t size_bytes,
                                 enum handoff_region_type type, struct phys_range *ret_block)
    __attribute__((warn_unused_result));

/* Give a block back. Precondition: `start` is that of a block from pages_allocate(). */
void pages_free(struct pages *pages, struct phys_addr start);

/* Give all blocks back, the newest first. */
void pages_free_all(struct pages *pages);

#endif
