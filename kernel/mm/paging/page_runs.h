/*
 * page_runs.h - the pages of a table as runs of neighbours with the same permissions.
 *
 * A machine has thousands of pages and about thirty runs. So the code that checks or prints a whole
 * address space uses runs. Pure. Phase: any.
 */
#ifndef KERNEL_MM_PAGING_PAGE_RUNS_H
#define KERNEL_MM_PAGING_PAGE_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/paging/address_space.h"
#include "shared/page_table.h"
#include "shared/range.h"

/* The largest number of levels that can map a page. */
#define PAGE_RUN_LEVEL_COUNT 4

struct page_run {
    struct virt_addr virtual;
    struct phys_addr physical; /* of the first page */
    uint64_t size_bytes;
    bool is_contiguous; /* physically too */
    struct page_permissions permissions;
    bool user;
    const struct address_space_area *area;      /* NULL unless the caller passed areas */
    uint64_t page_counts[PAGE_RUN_LEVEL_COUNT]; /* from PAGE_LEVEL_SMALLEST on */
};

/* A run that ends at 2^64 gets one byte less. The kernel maps nothing there. */
struct virt_range page_run_virtual(const struct page_run *run);

/* Precondition: the run is contiguous. */
struct phys_range page_run_physical(const struct page_run *run);

uint64_t page_run_page_count(const struct page_run *run);

/* Call `visit` for every run in order of virtual address. The pages of a run have the same
 * permissions and
 *   areas == NULL   follow each other physically, too
 *   areas != NULL   lie in the same area of that space, over frames in any order */
void page_runs_walk(const struct page_table *table, const struct address_space *areas,
                    void (*visit)(void *context, const struct page_run *run), void *context);

#endif
