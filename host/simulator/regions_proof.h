/*
 * regions_proof.h - prove that regions say what the firmware's rows say, with the oracle of the
 * unit tests, which sorts nothing.
 */
#ifndef HOST_SIMULATOR_REGIONS_PROOF_H
#define HOST_SIMULATOR_REGIONS_PROOF_H

#include <stddef.h>

#include "shared/handoff.h"
#include "tests/unit/support/memory_map_oracle.h"

/* The regions are normalised, and each page beside a border of a row or a claim, behind frame 0, at
 * 1 MiB and where the direct map ends is what the rows and claims with the highest precedence make
 * it: a type can change nowhere else. Of very many rows every n-th is looked at. A broken promise
 * panics (PANIC_ASSERTION). */
void regions_proof(const struct memory_map_input *input, const struct handoff_region *regions,
                   size_t region_count);

#endif
