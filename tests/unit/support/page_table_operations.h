/*
 * page_table_operations.h - run a stream of requests (map, unmap, protect, merge) on page tables
 * and on an oracle, for a unit test and the fuzzer.
 */
#ifndef TESTS_UNIT_SUPPORT_PAGE_TABLE_OPERATIONS_H
#define TESTS_UNIT_SUPPORT_PAGE_TABLE_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/page_table.h"
#include "tests/unit/support/fake_memory.h"

/* Read features and requests from the bytes and run them on page tables in fake memory, some with
 * an allocation that fails. After every request all mappings are compared with the oracle, and the
 * table pages are counted. After a request that failed, every table is compared bit by bit with its
 * state before. At the end, all pages are unmapped. Return the problem, or NULL. */
const char *page_table_operations_run(const uint8_t *bytes, size_t size_bytes);

/* A witness: a model of a CPU that uses the tables while they are changed. */
struct page_table_witness {
    unsigned levels; /* of the tables */
    void *context;
    /* Begin to observe empty tables in this memory. */
    void (*attach)(void *context, struct fake_memory *memory, const struct page_table *table);
    /* Return the first mistake up to the end of a request, or NULL. */
    const char *(*problem)(void *context);
};

/* The same. After every request, the witness reports its mistakes. */
const char *page_table_operations_run_before(const struct page_table_witness *witness,
                                             const uint8_t *bytes, size_t size_bytes);

#endif
