/*
 * entry_state.h - the facts that the kernel knows by itself when a loader has entered it.
 *
 * The CPU states the page tables and the stack in use. The linker states the place and the size of
 * the image. None of these facts comes from the loader's structure, so the structure can be
 * compared with them (kernel/handoff/handoff_check.h). The kernel fills the struct from
 * kernel/arch.h and kernel/core/image.h. A host test fills it with its own numbers.
 */
#ifndef KERNEL_HANDOFF_ENTRY_STATE_H
#define KERNEL_HANDOFF_ENTRY_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/paging/address_space.h"
#include "shared/address.h"
#include "shared/page_table.h"
#include "shared/range.h"

#define ENTRY_CPU_TABLE_LIMIT 2

struct entry_state {
    /* From the CPU. */
    struct page_table_features features; /* as they are switched on */
    struct phys_addr page_table_root;    /* of the tables in force */
    struct virt_addr stack_pointer;      /* of a called function: inside of the stack */
    /* The tables that the CPU reads by itself: those of handlers and of descriptors. */
    struct virt_range cpu_tables[ENTRY_CPU_TABLE_LIMIT];
    size_t cpu_table_count;

    /* From the linker. Not empty; the segments are disjoint and inside of the image. */
    struct virt_range image; /* page-aligned */
    uint64_t slide;          /* from its link address to this one */
    struct virt_addr entry;
    const struct kernel_segment *segments;
    size_t segment_count;

    /* The address at which the kernel expects physical address 0: direct_map_base() of these
     * levels. */
    struct virt_addr direct_map_base;
    /* The address at which the checks read it. It is the same in the kernel, and memory of the test
     * on a host. */
    uintptr_t memory_base;
};

#endif
