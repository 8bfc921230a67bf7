/*
 * frame_operations.h - run a stream of operations on a frame allocator and on a simple oracle. The
 * bytes of the unit test are random, those of the fuzzer come from libFuzzer. Both functions return
 * NULL, or a constant sentence about the problem.
 */
#ifndef TESTS_UNIT_SUPPORT_FRAME_OPERATIONS_H
#define TESTS_UNIT_SUPPORT_FRAME_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

/* The bytes give a map of a small machine, and then operations: allocations of all kinds, and good
 * and bad frees and reclaims. The oracle has one byte for each frame. Every result must be equal to
 * the oracle's result (the highest address that fits, or no address). The full check runs after
 * every step. */
const char *frame_operations_run(const uint8_t *bytes, size_t size_bytes);

/* The bytes are a map: unsorted, overlapping, wrapping, with unknown types. Either it is refused,
 * or every allocated frame is usable RAM of it. */
const char *frame_operations_run_hostile_map(const uint8_t *bytes, size_t size_bytes);

#endif
