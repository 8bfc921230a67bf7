/*
 * pages.h - allocate pages from the firmware, and keep all of them in one short list.
 *
 * On an error the loader frees all blocks of the list, the newest first. After the exit, each block
 * is a claim over the memory map, with the type of region that the kernel will see.
 *
 * All blocks are EfiLoaderData from AllocateAnyPages (UEFI 2.10, section 7.2.1), or lie below a
 * limit. Only the boot record is requested at a fixed address: it may be in use with other
 * firmware, and a boot works without that record. The firmware may mark the blocks non-executable.
 * Nothing in them runs before the kernel's page tables are live. Only before the exit of boot
 * services.
 */
#ifndef BOOTLOADER_FIRMWARE_PAGES_H
#define BOOTLOADER_FIRMWARE_PAGES_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/claims.h"
#include "shared/handoff.h"
#include "shared/range.h"

/* As a limit: no limit. */
#define PAGES_NO_LIMIT phys_addr(0)

/* It begins as zeros. */
struct pages {
    struct phys_addr limit; /* of every block; PAGES_NO_LIMIT for none */
    size_t block_count;
    struct memory_map_claim blocks[CLAIMS_BLOCK_LIMIT]; /* page-aligned, not empty */
};

/* Let every later block end at or below `limit`, which is not 0. */
void pages_set_limit(struct pages *pages, struct phys_addr limit);

/* Allocate `size_bytes`, rounded up to whole pages. The content is undefined. A block at address 0
 * is never used: zero means "none" in the handoff, and page 0 catches null pointers.
 *   limit  the block ends at or below it
 * Failures: OUT_OF_MEMORY (also for size 0), BAD_ALLOCATION (the block overlaps the loader's image
 * or another block: the firmware is not reliable). On failure *ret_block is not written. */
enum loader_error pages_allocate_below(struct pages *pages, uint64_t size_bytes,
                                       struct phys_addr limit, enum handoff_region_type type,
                                       struct phys_range *ret_block)
    __attribute__((warn_unused_result));

/* The same, without a limit. */
enum loader_error pages_allocate(struct pages *pages, uint64_t size_bytes,
                                 enum handoff_region_type type, struct phys_range *ret_block)
    __attribute__((warn_unused_result));

/* Allocate `size_bytes`, whole pages, at a fixed address other than 0. The content stays. Failures:
 * OUT_OF_MEMORY (a part of it is in use), BAD_ALLOCATION. */
enum loader_error pages_allocate_at(struct pages *pages, struct phys_addr base, uint64_t size_bytes,
                                    enum handoff_region_type type, struct phys_range *ret_block)
    __attribute__((warn_unused_result));

/* The same for a block into which a device reads. It lies below 4 GiB if there is room: the disk
 * drivers of some firmware fail, or write to a wrong address, above that limit.
 *   size_bytes       of the block, at least 1
 *   alignment_bytes  a power of two, at least 4 KiB
 *   residue_bytes    a multiple of 4 KiB: the block's start modulo alignment_bytes */
enum loader_error pages_allocate_for_reading(struct pages *pages, uint64_t size_bytes,
                                             uint64_t alignment_bytes, uint64_t residue_bytes,
                                             enum handoff_region_type type,
                                             struct phys_range *ret_block)
    __attribute__((warn_unused_result));

/* Free a block. Precondition: `start` is the start of a block from pages_allocate(). */
void pages_free(struct pages *pages, struct phys_addr start);

/* Free the newest blocks, until `kept_count` are left. */
void pages_free_newest(struct pages *pages, size_t kept_count);

/* Free all blocks, the newest first. */
void pages_free_all(struct pages *pages);

#endif
