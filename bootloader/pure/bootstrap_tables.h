/*
 * bootstrap_tables.h - the address space in which the kernel begins.
 *
 *   kernel image     at its link address, each segment with its own permissions
 *   direct map       every RAM region at direct_map_base() + physical (shared/direct_map.h),
 *                    writable, never executable, write-back; the framebuffer write-combining
 *   stack            64 KiB with an unmapped page below
 *   firmware tables  the pages of them that no RAM has, in the direct map, read-only
 *   loader image     section by section, for the switch (identity-mapped) and for the fault
 *                    handlers (in the upper half, where a kernel's own tables can keep it)
 *
 * Nothing else. Pure: builds through shared/page_table.h over callbacks.
 */
#ifndef BOOTLOADER_PURE_BOOTSTRAP_TABLES_H
#define BOOTLOADER_PURE_BOOTSTRAP_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/elf.h"
#include "bootloader/pure/placement.h"
#include "shared/handoff.h"
#include "shared/page_table.h"

/* The stack's window: its guard page is the page below. */
#define BOOTSTRAP_STACK_VIRTUAL_BASE UINT64_C(0xffffff0000010000)
#define BOOTSTRAP_STACK_SIZE_BYTES   (UINT64_C(64) * 1024)

/* The loader's image in the upper half: below the same top-level entry as the stack, so that a
 * kernel which keeps one keeps both. */
#define BOOTSTRAP_LOADER_VIRTUAL_BASE UINT64_C(0xffffff0040000000)

struct bootstrap_plan {
    const struct elf_plan *kernel;
    const struct placement *placement;
    struct phys_range framebuffer;        /* page-aligned; empty for none */
    const struct handoff_region *regions; /* normalised: the RAM among them is mapped */
    size_t region_count;
    unsigned trampoline_levels; /* of the tables in which the trampoline is */
};

/* How many table pages the plan can need at most, those of the switch tables included where there
 * is a trampoline: an upper bound for the caller's pool. */
uint64_t bootstrap_tables_bound(const struct bootstrap_plan *plan,
                                const struct page_table_features *features);

/* Map all of the plan into *table, made by page_table_create(). On failure the tables are useless
 * and the caller drops them. *ret_direct_map_size_bytes: one past the highest mapped physical
 * address. */
enum page_table_status bootstrap_tables_build(const struct bootstrap_plan *plan,
                                              struct page_table *table,
                                              uint64_t *ret_direct_map_size_bytes)
    __attribute__((warn_unused_result));

/* Build the tables that are in force while the number of levels changes. They map the loader's image
 * and the trampoline's first page, executable, at their own addresses. Precondition: *table was made
 * with trampoline_levels. Failures: as above. */
enum page_table_status bootstrap_tables_build_switch(const struct bootstrap_plan *plan,
                                                     struct page_table *table)
    __attribute__((warn_unused_result));

#endif
