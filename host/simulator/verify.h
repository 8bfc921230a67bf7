/*
 * verify.h - every invariant that the memory stack has, at one moment.
 */
#ifndef HOST_SIMULATOR_VERIFY_H
#define HOST_SIMULATOR_VERIFY_H

#include "host/simulator/kernel_model.h"

/* How many invariants one call proves. */
#define VERIFY_COUNT 6

/* The regions are normalised; early heap, frame allocator and heap pass their full checks; the page
 * audit finds nothing; the ownership of memory closes. NULL if so, else a sentence (of static
 * storage, valid until the next call). Precondition: the kernel has reached [ready]. */
const char *verify_everything(const struct kernel_model *kernel)
    __attribute__((warn_unused_result));

#endif
