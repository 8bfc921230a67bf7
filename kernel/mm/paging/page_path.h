/*
 * page_path.h - the entries through which the CPU finds the page of one address.
 *
 * Pure: the tables are read through their own callbacks. Phase: any time after the build.
 */
#ifndef KERNEL_MM_PAGING_PAGE_PATH_H
#define KERNEL_MM_PAGING_PAGE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/page_table.h"

/* Tables have at most five levels. */
#define PAGE_PATH_LIMIT 5

struct page_step {
    unsigned level;
    unsigned index;         /* of the entry in its table */
    struct phys_addr table; /* that has the entry */
    uint64_t entry;         /* as the tables hold it */
    bool is_present;        /* false ends the path */
    bool is_leaf;           /* maps a page, and ends the path */
    /* Of a present entry: */
    struct phys_addr target; /* the page, or the next table */
    bool write, execute, user;
    struct page_permissions permissions; /* of a leaf */
};

/* Write the steps for an address, from the root down, and return their number. Return 0 for an
 * address that is not canonical. */
size_t page_path_find(const struct page_table *table, struct virt_addr address,
                      struct page_step ret_steps[PAGE_PATH_LIMIT]);

#endif
