/*
 * handoff_regions.h - the memory map of a handoff: in order, without contradictions, and mapped as
 * promised. For kernel/handoff/ only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_REGIONS_H
#define KERNEL_HANDOFF_HANDOFF_REGIONS_H

#include "kernel/handoff/handoff_validation.h"

/* Check the array, its order, the facts of each region, and that the direct map has all RAM. From
 * OK on validation->view.regions is validated. Precondition: so is the block of handoff data. */
enum handoff_check_status handoff_regions_check(struct handoff_validation *validation);

#endif
