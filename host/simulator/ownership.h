/*
 * ownership.h - the owners of the machine's RAM, at the kernel's first instruction and now. The
 * facts come from the regions of the handoff, and from each part of the kernel, but not from the
 * frame allocator. So comparing the sums with the frame allocator's own counts is a real check.
 */
#ifndef HOST_SIMULATOR_OWNERSHIP_H
#define HOST_SIMULATOR_OWNERSHIP_H

#include <stddef.h>
#include <stdint.h>

#include "host/simulator/kernel_model.h"

/* The state of an owner's frames, in the words of the frame allocator. */
enum ownership_state {
    OWNERSHIP_FREE,
    OWNERSHIP_CACHED,
    OWNERSHIP_USED,
    OWNERSHIP_RESERVED,
    OWNERSHIP_STATE_COUNT,
};

struct ownership_entry {
    const char *name; /* a region's type, or "page-tables", … */
    const char *fate; /* its state now, as a constant clause */
    enum ownership_state state;
    uint64_t entry_frame_count; /* at the kernel's first instruction */
    uint64_t now_frame_count;
};
#define OWNERSHIP_LIMIT 24

struct ownership {
    struct ownership_entry entries[OWNERSHIP_LIMIT];
    size_t count;
    uint64_t total_frame_count; /* all RAM of the regions */
};

/* Precondition: the kernel has reached [ready]. */
void ownership_take(const struct kernel_model *kernel, struct ownership *ret_ownership);

/* Return NULL if the sums are equal to the total and to the frame allocator's counts, else a
 * constant sentence. */
const char *ownership_check(const struct ownership *ownership, const struct kernel_model *kernel);

#endif
