/*
 * aarch64_walker.h - a CPU that uses tables while they are changed, in the worst way that the Arm
 * ARM allows.
 *
 * It reads the descriptors by itself (VMSAv8-64, 4 KiB granule), not through the format under test.
 * Its TLB holds every descriptor that was ever reachable, until an invalidation of its addresses.
 * It reports these mistakes:
 *
 *   - A descriptor is replaced by another without a break (D8.17.1, RWHZWS).
 *   - A descriptor is valid again before its old translations were dropped.
 *   - A table is linked before a barrier completed the stores to it (D8.2.6.1, RSPVBD).
 *   - A request ends before its new entries were published.
 *   - A request ends before the old translations of its entries were dropped from the TLB.
 *   - A table is freed while it is linked, or while the TLB may still refer to it.
 */
#ifndef TESTS_UNIT_SUPPORT_AARCH64_WALKER_H
#define TESTS_UNIT_SUPPORT_AARCH64_WALKER_H

#include "shared/page_table.h"
#include "tests/unit/support/fake_memory.h"
#include "tests/unit/support/page_table_operations.h"

#define AARCH64_WALKER_PAGE_LIMIT 64

/* The TLB's copy of one descriptor. */
struct aarch64_cached {
    uint64_t descriptor; /* 0: nothing */
    uint64_t start;      /* the addresses that it translates */
    uint64_t size_bytes;
    bool is_present;     /* it is valid in memory */
    bool is_stale;       /* the TLB may still have it */
    bool is_unpublished; /* no barrier since it became valid */
};

struct aarch64_walker {
    struct fake_memory *memory;
    const struct page_table *table;
    struct aarch64_cached cached[AARCH64_WALKER_PAGE_LIMIT][512];
    bool is_reached[AARCH64_WALKER_PAGE_LIMIT]; /* found by the last walk */
    bool
        is_complete[AARCH64_WALKER_PAGE_LIMIT]; /* a barrier came after the clearing of the table */
    const char *first_problem;
};

/* Observe `table`, whose pages are those of `memory`, at most AARCH64_WALKER_PAGE_LIMIT. */
void aarch64_walker_attach(struct aarch64_walker *walker, struct fake_memory *memory,
                           const struct page_table *table);

/* Return the first mistake, also one at the end of a request; NULL if there was no mistake. */
const char *aarch64_walker_problem(struct aarch64_walker *walker);

/* Return the walker as a witness of random requests. */
struct page_table_witness aarch64_walker_witness(struct aarch64_walker *walker);

#endif
