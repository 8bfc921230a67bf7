/*
 * page_audit.h - check that page tables keep the kernel's promises.
 *
 * The audit walks every present page of the real tables, not of the plan. It counts the runs of
 * pages (kernel/mm/paging/page_runs.h) that break a rule:
 *
 *   writable_executable_count  No page is both writable and executable.
 *   user_count                 No page is accessible to user programs.
 *   guard_count                No guard page is present. Page 0 is a guard page.
 *   lower_half_count           Nothing is left in the lower half.
 *   global_count               Every page is global: it survives a switch to the root for firmware
 *                              calls.
 *   image_count                The image has exactly its linked permissions and lies in
 *                              kernel-image regions. Nothing outside of it is executable.
 *   memory_type_count          RAM is write-back wherever it is mapped, and only RAM is. The
 *                              framebuffer is write-combining where the CPU can.
 *   alias_count                Outside of the direct map no frame is mapped writable twice. The
 *                              read-only parts of the image are not writable anywhere.
 *   direct_map_count           The direct map is exactly base + physical, and never executable.
 *
 * If the CPU cannot forbid execution, every page is executable. Then writable_executable_count is
 * the number of writable pages, and no rule about execution counts as broken (docs/CAVEATS.md).
 * Pure: it reads the tables through their own callbacks. Phase: any time after the build.
 */
#ifndef KERNEL_MM_PAGING_PAGE_AUDIT_H
#define KERNEL_MM_PAGING_PAGE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/paging/address_space.h"
#include "shared/handoff.h"
#include "shared/range.h"

/* The input that the tables are compared with. */
struct page_audit_input {
    const struct address_space *space;
    const struct kernel_layout *layout;
    const struct handoff_region *regions; /* normalised */
    size_t region_count;
    uint64_t image_unmapped_bytes; /* of the image, freed on purpose */
    /* Room for the physical runs that are mapped writable outside of the direct map: one entry per
     * run of frames. Too little room counts as a violation, since the check is then not
     * complete. */
    struct phys_range *scratch;
    size_t scratch_count;
};

struct page_audit_result {
    uint64_t page_count; /* present pages of any size */
    uint64_t run_count;
    uint64_t table_count; /* table pages, counted by walking them */
    /* If the CPU cannot forbid execution: a number of pages, and no violation. */
    uint64_t writable_executable_count;
    uint64_t user_count;
    uint64_t guard_count;
    uint64_t lower_half_count;
    uint64_t global_count;
    uint64_t image_count;
    uint64_t memory_type_count;
    uint64_t alias_count;
    uint64_t direct_map_count;
    uint64_t other_count;      /* scratch too small; table_count differs from the tables' own */
    uint64_t violation_count;  /* of any rule */
    char first_violation[128]; /* "" without a violation */
};

/* Fill *ret_result. Return true if violation_count is 0. */
bool page_audit_run(const struct page_audit_input *input, struct page_audit_result *ret_result)
    __attribute__((warn_unused_result));

#endif
