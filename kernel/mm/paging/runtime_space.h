/*
 * runtime_space.h - a second root for calls of EFI runtime services.
 *
 * The firmware's services run at the physical addresses where the firmware placed them. The
 * alternative is SetVirtualAddressMap (UEFI 2.10, section 8.4): many firmwares get it wrong, and it
 * can be called only once. The second root has
 *
 *   upper half   the kernel's own, borrowed: the same tables, not copies of them
 *   lower half   every region with EFI_MEMORY_RUNTIME, or of a runtime EFI type, at its own
 *                address. Code is rwx: firmware without a memory attributes table keeps data in
 *                code regions (UEFI 2.10, section 4.6.4). Data and device registers are rw-. Device
 *                registers, and regions whose row is not write-back, are uncached. The memory of boot
 *                services is mapped, too, where it is never reused: faulty firmware uses it here
 *
 * It is loaded only during a call. Page 0 stays unmapped here, too.
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

/* Build the second root beside `kernel`'s root, with the current upper half of `kernel`. `regions`
 * are normalised. *kernel must outlive the root; both use its memory callbacks. Failures: those of
 * page_table_map(); then all table pages are free again. */
enum page_table_status runtime_space_build(struct runtime_space *ret_space,
                                           const struct address_space *kernel,
                                           const struct handoff_region *regions,
                                           size_t region_count) __attribute__((warn_unused_result));

#endif
