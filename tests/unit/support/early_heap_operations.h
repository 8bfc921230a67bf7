/*
 * early_heap_operations.h - run a stream of operations on an early heap beside a simple oracle.
 *
 * The unit test feeds it random bytes, the fuzzer what libFuzzer finds.
 */
#ifndef TESTS_UNIT_SUPPORT_EARLY_HEAP_OPERATIONS_H
#define TESTS_UNIT_SUPPORT_EARLY_HEAP_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

/* After every operation the heap is checked, and every live block must lie in the region, above its
 * elder, aligned, with the bytes that were put into it; a free that breaks the order must panic.
 * NULL if all was well, else a constant sentence. */
const char *early_heap_operations_run(const uint8_t *bytes, size_t size_bytes);

#endif
