/*
 * bootstrap_tables.h - build the address space in which the kernel begins.
 *
 *   kernel image     at its link address, each segment with its own permissions
 *   direct map       every RAM region at direct_map_base() + physical (shared/direct_map.h),
 *                    writable, never executable, write-back; framebuffers write-combining
 *   stack            64 KiB, or what the kernel demands, with an unmapped page below
 *   parking          the code, seats and stacks of started processors (parking.h)
 *   firmware tables  their pages outside of RAM, in the direct map, read-only
 *   loader image     section by section, for the switch (identity-mapped) and for the fault
 *                    handlers (in the upper half, where a kernel's own tables can keep it)
 *
 * Nothing else is mapped. Pure: it uses shared/page_table.h with callbacks.
 */
#ifndef BOOTLOADER_PURE_BOOTSTRAP_TABLES_H
#define BOOTLOADER_PURE_BOOTSTRAP_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/elf.h"
#include "bootloader/pure/placement.h"
#include "shared/handoff.h"
#include "shared/page_table.h"

/* The stack's window. The page below it is the guard page. A kernel's note can demand a larger
 * stack (pure/kernel_demands.h); the window ends at the loader's image below. */
#define BOOTSTRAP_STACK_VIRTUAL_BASE UINT64_C(0xffffff0000010000)
#define BOOTSTRAP_STACK_SIZE_BYTES   (UINT64_C(64) * 1024)

/* The loader's image in the upper half. It has the same top-level entry as the stack, so a kernel
 * that keeps this entry keeps both. */
#define BOOTSTRAP_LOADER_VIRTUAL_BASE UINT64_C(0xffffff0040000000)

struct bootstrap_plan {
    const struct elf_plan *kernel;
    const struct placement *placement;
    const struct handoff_region *regions; /* normalised: those with the fact MAPPED are mapped */
    size_t region_count;
    unsigned trampoline_levels; /* of the tables that map the trampoline */
};

/* Return an upper bound of the table pages that the plan needs, for the caller's pool. If there is
 * a trampoline, it includes the switch tables. */
uint64_t bootstrap_tables_bound(const struct bootstrap_plan *plan,
                                const struct page_table_features *features);

/* Map the whole plan into *table, which page_table_create() made. On failure the tables are
 * incomplete, and the caller drops them. *ret_direct_map_size_bytes: one past the highest mapped
 * physical address. */
enum page_table_status bootstrap_tables_build(const struct bootstrap_plan *plan,
                                              struct page_table *table,
                                              uint64_t *ret_direct_map_size_bytes)
    __attribute__((warn_unused_result));

/* Map the memory that is used during the switch of levels into *table, which has trampoline_levels.
 * This is the loader's image and the trampoline's first page, executable, at their physical
 * addresses. Failures: as above. */
enum page_table_status bootstrap_tables_build_switch(const struct bootstrap_plan *plan,
                                                     struct page_table *table)
    __attribute__((warn_unused_result));

#endif
