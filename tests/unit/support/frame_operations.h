/*
 * frame_operations.h - run a stream of operations on a frame allocator beside a simple oracle.
 *
 * The unit test feeds them random bytes, the fuzzer what libFuzzer finds. Both return NULL if all
 * was well, else a constant sentence.
 */
#ifndef TESTS_UNIT_SUPPORT_FRAME_OPERATIONS_H
#define TESTS_UNIT_SUPPORT_FRAME_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

/* The bytes give a map of a small machine and then operations: allocations of all kinds, good and
 * bad frees, good and bad reclaims. The oracle has one byte a frame; every answer must be exactly
 * its own (the highest address that fits, or none), and the full check runs after every step. */
const char *frame_operations_run(const uint8_t *bytes, size_t size_bytes);

/* The bytes are a map: unsorted, overlapping, wrapping, of unknown types. It must be refused, or
 * what is given must be usable RAM of it. */
const char *frame_operations_run_hostile_map(const uint8_t *bytes, size_t size_bytes);

#endif
