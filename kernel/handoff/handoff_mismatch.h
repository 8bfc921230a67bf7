/*
 * handoff_mismatch.h - the two numbers of a refusal that compares a field with a fact that the
 * kernel knows by itself.
 *
 * Pure. Phase: behind a refusal of handoff_check().
 */
#ifndef KERNEL_HANDOFF_HANDOFF_MISMATCH_H
#define KERNEL_HANDOFF_HANDOFF_MISMATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/handoff/entry_state.h"
#include "kernel/handoff/handoff_check_status.h"

struct handoff_mismatch {
    uint64_t handed_over;
    uint64_t known;
};

/* False, and nothing written, for a reason that compares no numbers. Precondition: handoff_check()
 * gave this status for this address and state. */
bool handoff_mismatch_find(struct virt_addr address, const struct entry_state *state,
                           enum handoff_check_status status, struct handoff_mismatch *ret_mismatch);

#endif
