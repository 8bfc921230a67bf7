/*
 * handoff_modules.h - check the modules and the further temporary heaps: blocks that arrays list.
 * For kernel/handoff/ only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_MODULES_H
#define KERNEL_HANDOFF_HANDOFF_MODULES_H

#include "kernel/handoff/handoff_validation.h"

/* Each element is compared with all others, so their number is limited. */
#define HANDOFF_MODULES_LIMIT 256

/* Check that the blocks lie in regions of their type and do not overlap, that nothing else has the
 * modules' type, and that the modules' texts have ends. The first temporary heap is not checked
 * here. Preconditions: regions and arrays are validated. */
enum handoff_check_status handoff_modules_check(struct handoff_validation *validation);

#endif
