/*
 * handoff_structure.h - the structure itself: may it be read, and is it one? For kernel/handoff/
 * only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_STRUCTURE_H
#define KERNEL_HANDOFF_HANDOFF_STRUCTURE_H

#include "kernel/handoff/handoff_validation.h"

/* Check the pointer as far as possible before it is followed. Fill in `place` and `handoff` of the
 * validation. Precondition: its `state` is set. */
enum handoff_check_status handoff_structure_find(struct handoff_validation *validation,
                                                 struct virt_addr address);

/* Check what the first fields say, and the checksum over all of them. */
enum handoff_check_status handoff_structure_check(struct handoff_validation *validation);

#endif
