/*
 * handoff_mismatch.h - the two numbers of a refusal: a field, and the fact with which it disagrees.
 *
 * Pure. Phase: after a refusal by handoff_check().
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

/* Return false, and write nothing, for a reason that compares no numbers. Precondition:
 * handoff_check() returned this status for this address and state. */
bool handoff_mismatch_find(struct virt_addr address, const struct entry_state *state,
                           enum handoff_check_status status, struct handoff_mismatch *ret_mismatch);

#endif
