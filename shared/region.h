/*
 * region.h - what loader and kernel agree on about regions: their types, and runs of RAM.
 */
#ifndef SHARED_REGION_H
#define SHARED_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"
#include "shared/range.h"

/* A short constant lower-case name without blanks ("usable", "temp-heap", …); "unknown" for a
 * number that is not in enum handoff_region_type. Never NULL. */
const char *region_type_name(uint32_t type);

/* True for what is RAM and in the direct map: USABLE … RUNTIME_CODE. Everything else, and every
 * unknown number, is not. */
bool region_type_is_ram(uint32_t type);

/* Write the first run of RAM among the regions from *index on to *ret_run, and move *index behind
 * it. Firmware cuts RAM into many small rows and each cut would cost large pages, so regions that
 * touch are one run. What lies at or above `limit_bytes` is cut off. False, and nothing written, if
 * there is none. Precondition: the regions are normalised (handoff.h). */
bool region_next_ram_run(const struct handoff_region *regions, size_t region_count,
                         uint64_t limit_bytes, size_t *index, struct range *ret_run)
    __attribute__((warn_unused_result));

#endif
