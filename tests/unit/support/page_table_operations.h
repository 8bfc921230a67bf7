/*
 * page_table_operations.h - a stream of requests (map, unmap, protect, merge) beside an oracle, for
 * a unit test and the fuzzer.
 */
#ifndef TESTS_UNIT_SUPPORT_PAGE_TABLE_OPERATIONS_H
#define TESTS_UNIT_SUPPORT_PAGE_TABLE_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

/* Read features and requests from the bytes and run them on page tables in fake memory, some with
 * an allocation that fails. After every request all that is mapped is compared with the oracle, the
 * table pages are counted, and after one that failed every table is compared bit by bit with what
 * it was. At the end everything is unmapped.
 * Returns what went wrong, NULL if nothing did. */
const char *page_table_operations_run(const uint8_t *bytes, size_t size_bytes);

#endif
