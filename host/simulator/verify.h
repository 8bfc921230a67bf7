/*
 * verify.h - check every invariant of the memory stack.
 */
#ifndef HOST_SIMULATOR_VERIFY_H
#define HOST_SIMULATOR_VERIFY_H

#include "host/simulator/kernel_model.h"

/* The number of invariants that one call checks. */
#define VERIFY_COUNT 7

/* Check that the regions are normalised, and that early heap, frame allocator and heap pass their
 * full checks. Check that the page audit finds no violation, and that the owners' sums are correct.
 * Check that the boot record, if there is one, says that the kernel was ready.
 * Return NULL, or a sentence in static storage that is valid until the next call. Precondition: the
 * kernel has reached [ready]. */
const char *verify_everything(const struct kernel_model *kernel)
    __attribute__((warn_unused_result));

#endif
