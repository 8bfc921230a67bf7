/*
 * regions_proof.h - compare the regions with the firmware's rows, through the oracle of the unit
 * tests, which sorts nothing.
 */
#ifndef HOST_SIMULATOR_REGIONS_PROOF_H
#define HOST_SIMULATOR_REGIONS_PROOF_H

#include <stddef.h>

#include "shared/handoff.h"
#include "tests/unit/support/memory_map_oracle.h"

/* Check that the regions are normalised, and that pages have the type with the highest precedence
 * of their rows and claims. It checks the pages where a type can change: beside each border of a
 * row or a claim, behind frame 0, at 1 MiB, at the direct map's end. Of very many rows it checks
 * every n-th. Panics (PANIC_ASSERTION) at a difference. */
void regions_proof(const struct memory_map_input *input, const struct handoff_region *regions,
                   size_t region_count);

#endif
