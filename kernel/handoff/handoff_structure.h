/*
 * handoff_structure.h - check that the structure can be read, and that it is a handoff. For
 * kernel/handoff/ only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_STRUCTURE_H
#define KERNEL_HANDOFF_HANDOFF_STRUCTURE_H

#include "kernel/handoff/handoff_validation.h"

/* Check the pointer as far as possible before it is followed. Fill in `place` and `handoff` of the
 * validation. Precondition: its `state` is set. */
enum handoff_check_status handoff_structure_find(struct handoff_validation *validation,
                                                 struct virt_addr address);

/* Check the first fields, and the checksum over all fields. */
enum handoff_check_status handoff_structure_check(struct handoff_validation *validation);

#endif
