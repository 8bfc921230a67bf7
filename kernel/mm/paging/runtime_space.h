/*
 * runtime_space.h - a second root for calls of EFI runtime services.
 *
 * The firmware's services run at the physical addresses that the firmware gave them. The alternative
 * is SetVirtualAddressMap (UEFI 2.10, section 8.4): many firmwares get it wrong, and it can be called
 * only once. So a second root has
 *
 *   upper half   the kernel's own, borrowed: the same tables, not copies of them
 *   lower half   every region with EFI_MEMORY_RUNTIME, or of a runtime EFI type, at its own
 *                address. Code is rwx: firmware without a memory attributes table keeps data in code
 *                regions (UEFI 2.10, section 4.6.4). Data and device registers are rw-. Device
 *                registers, and regions whose row is not write-back, are uncached
 *
 * It is loaded for the time of one call only. Page 0 stays unmapped here too.
 *
 * Phase: after the kernel's own tables are live.
 */
#ifndef KERNEL_MM_PAGING_RUNTIME_SPACE_H
#define KERNEL_MM_PAGING_RUNTIME_SPACE_H

#include "kernel/mm/paging/address_space.h"
#include "shared/handoff.h"
#include "shared/page_table.h"

struct runtime_space {
    struct page_table table; /* load table.root for a call */
    uint64_t mapped_bytes;   /* of the lower half */
};

/* Build the second root beside `kernel`'s, with its upper half as it is now; `regions` are
 * normalised. *kernel must outlive the root; its memory callbacks serve for both.
 * Failures: those of page_table_map(); all that was taken has then gone back. */
enum page_table_status runtime_space_build(struct runtime_space *ret_space,
                                           const struct address_space *kernel,
                                           const struct handoff_region *regions,
                                           size_t region_count) __attribute__((warn_unused_result));

#endif
