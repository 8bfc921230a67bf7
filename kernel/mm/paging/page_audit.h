/*
 * page_audit.h - proof that page tables keep the kernel's promises.
 *
 * Walks every present page of the tables as they are (not as they were meant) and counts the runs
 * of pages (kernel/mm/paging/page_runs.h) that break a rule:
 *
 *   no page is both writable and executable           (writable_executable_count)
 *   no page is accessible to user programs            (user_count)
 *   no guard page is present, page 0 among them       (guard_count)
 *   nothing is left in the lower half                 (lower_half_count)
 *   the rest is global: it survives a switch to the root for firmware calls
 *                                                     (global_count)
 *   the image has exactly its linked permissions and lies in kernel-image regions, which nobody
 *   else is given; nothing outside of it is executable
 *                                                     (image_count)
 *   RAM is write-back wherever it is mapped, and nothing else is: device registers and framebuffer
 *   are not cached; the framebuffer is write-combining where the CPU can
 *                                                     (memory_type_count)
 *   outside of the direct map no frame is mapped writable twice, and what the image must not write
 *   is writable nowhere: no frame is both writable and executable
 *                                                     (alias_count)
 *   the direct map is exactly base + physical and never executable
 *                                                     (direct_map_count)
 *
 * Where the CPU cannot forbid execution every page is executable: writable_executable_count then
 * says how many are writable too, and no rule about execution counts as broken (docs/CAVEATS.md).
 *
 * Pure: reads tables through their own callbacks. Phase: any time after the build.
 */
#ifndef KERNEL_MM_PAGING_PAGE_AUDIT_H
#define KERNEL_MM_PAGING_PAGE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/paging/address_space.h"
#include "shared/handoff.h"
#include "shared/range.h"

/* What the tables are held against. */
struct page_audit_input {
    const struct address_space *space;
    const struct kernel_layout *layout;
    const struct handoff_region *regions; /* normalised */
    size_t region_count;
    uint64_t image_unmapped_bytes; /* of the image, given back on purpose */
    /* Room for the physical runs that are mapped writable outside of the direct map: one entry per
     * run of frames. Too little room counts as a violation, since nothing is then proven. */
    struct phys_range *scratch;
    size_t scratch_count;
};

struct page_audit_result {
    uint64_t page_count; /* present pages of any size */
    uint64_t run_count;
    uint64_t table_count; /* table pages, counted by walking them */
    /* Where the CPU cannot forbid execution: pages, and no violation. */
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
    char first_violation[128]; /* "" if there is none */
};

/* Fill *ret_result; true if violation_count is 0. */
bool page_audit_run(const struct page_audit_input *input, struct page_audit_result *ret_result)
    __attribute__((warn_unused_result));

#endif
