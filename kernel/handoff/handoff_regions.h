/*
 * handoff_regions.h - check the regions of a handoff: their order, their facts, and their mapping.
 * For kernel/handoff/ only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_REGIONS_H
#define KERNEL_HANDOFF_HANDOFF_REGIONS_H

#include "kernel/handoff/handoff_validation.h"

/* Check the array, its order, the facts of each region, and that the direct map has all RAM. After
 * OK validation->view.regions is validated. Precondition: the block of handoff data is validated.
 */
enum handoff_check_status handoff_regions_check(struct handoff_validation *validation);

#endif
