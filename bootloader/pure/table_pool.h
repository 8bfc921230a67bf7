/*
 * table_pool.h - the memory for the kernel's first page tables: one block, handed out page by page.
 *
 * It is reserved before the exit of boot services, from an upper bound of the pages of the tables.
 * It is used after the exit. Physical addresses are used as pointers: the firmware's identity
 * mapping is live until the switch (UEFI 2.10, section 2.3.4).
 */
#ifndef BOOTLOADER_PURE_TABLE_POOL_H
#define BOOTLOADER_PURE_TABLE_POOL_H

#include "shared/page_table.h"
#include "shared/range.h"

struct table_pool {
    const struct phys_range *memory; /* page-aligned */
    uint64_t used_bytes;             /* of it, from the start */
};

/* The callbacks for page_table_create(). A page that is freed is not handed out again: building
 * fails as a whole or not at all. */
struct page_table_memory table_pool_memory(struct table_pool *pool);

#endif
