/*
 * entry_state.h - what the kernel knows by itself when a loader has entered it.
 *
 * The CPU says which page tables and which stack are in use; the linker says where the image is and
 * how large. Nothing of this comes from the loader's structure, so the structure can be held
 * against it (kernel/handoff/handoff_check.h). The kernel fills one from kernel/arch.h and
 * kernel/core/image.h; a host test fills one with numbers of its own.
 */
#ifndef KERNEL_HANDOFF_ENTRY_STATE_H
#define KERNEL_HANDOFF_ENTRY_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/paging/address_space.h"
#include "shared/address.h"
#include "shared/page_table.h"
#include "shared/range.h"

/* The CPU's tables of segments and of interrupt handlers. */
#define ENTRY_DESCRIPTOR_TABLE_COUNT 2

struct entry_state {
    /* From the CPU. */
    struct page_table_features features; /* as they are switched on */
    struct phys_addr page_table_root;    /* of the tables in force */
    struct virt_addr stack_pointer;      /* in a call of the entry's: inside of the stack */
    struct range descriptor_tables[ENTRY_DESCRIPTOR_TABLE_COUNT]; /* virtual */

    /* From the linker. Not empty; the segments are disjoint and inside of the image. */
    struct range image; /* virtual, page-aligned */
    uint64_t entry;     /* virtual */
    const struct kernel_segment *segments;
    size_t segment_count;

    /* Where the kernel expects physical address 0: direct_map_base() of these levels. */
    uint64_t direct_map_base;
    /* Where the code that checks reads it: the same, but on a host its own memory. */
    uintptr_t memory_base;
};

#endif
