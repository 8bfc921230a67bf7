/*
 * handoff_structure.h - the structure itself: may it be read, and is it one? For kernel/handoff/
 * only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_STRUCTURE_H
#define KERNEL_HANDOFF_HANDOFF_STRUCTURE_H

#include "kernel/handoff/handoff_proof.h"

/* Check all that can be said of the pointer before it is followed, and fill in proof->place and
 * proof->handoff. Precondition: proof->state is set. */
enum handoff_check_status handoff_structure_find(struct handoff_proof *proof,
                                                 struct virt_addr address);

/* Check what the first fields say, and the checksum over all of them. */
enum handoff_check_status handoff_structure_check(struct handoff_proof *proof);

#endif
