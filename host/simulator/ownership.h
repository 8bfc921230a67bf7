/*
 * ownership.h - who holds the machine's RAM: at the kernel's first instruction, and now.
 *
 * Told from outside: by the regions that were handed over, and by what each part of the kernel says
 * of itself. That the sums close, and agree with the frame allocator's own counts, is therefore
 * a proof and not a repetition.
 */
#ifndef HOST_SIMULATOR_OWNERSHIP_H
#define HOST_SIMULATOR_OWNERSHIP_H

#include <stddef.h>
#include <stdint.h>

#include "host/simulator/kernel_model.h"

/* The state of an owner's frames, in the frame allocator's words. */
enum ownership_state {
    OWNERSHIP_FREE,
    OWNERSHIP_CACHED,
    OWNERSHIP_USED,
    OWNERSHIP_RESERVED,
    OWNERSHIP_STATE_COUNT,
};

struct ownership_entry {
    const char *name; /* a region's type, or "page-tables", … */
    const char *fate; /* what became of it, a constant clause */
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

/* NULL if the sums close and agree with the frame allocator, else a constant sentence. */
const char *ownership_check(const struct ownership *ownership, const struct kernel_model *kernel);

#endif
