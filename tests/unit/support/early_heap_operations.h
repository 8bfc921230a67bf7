/*
 * early_heap_operations.h - run a stream of operations on an early heap and on a simple oracle.
 *
 * The unit test gives it random bytes, the fuzzer the bytes of libFuzzer.
 */
#ifndef TESTS_UNIT_SUPPORT_EARLY_HEAP_OPERATIONS_H
#define TESTS_UNIT_SUPPORT_EARLY_HEAP_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

/* Check the heap after every operation. Every live block must lie in the region, aligned, above the
 * older blocks, and with unchanged content. A free in the wrong order must panic. Return NULL, or a
 * constant sentence about the problem. */
const char *early_heap_operations_run(const uint8_t *bytes, size_t size_bytes);

#endif
