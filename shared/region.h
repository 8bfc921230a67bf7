/*
 * region.h - the rules for regions that loader and kernel share: the meaning of each type, and runs
 * of RAM.
 */
#ifndef SHARED_REGION_H
#define SHARED_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"
#include "shared/range.h"

/* Return a short constant lower-case name without blanks ("usable", "temp-heap", …), or "unknown"
 * for a number that is not in enum handoff_region_type. Never NULL. */
const char *region_type_name(uint32_t type);

/* Return HANDOFF_FACT_* of a type, or 0 for a number that is not in enum handoff_region_type. */
uint32_t region_type_facts(uint32_t type);

/* Return the time from which a kernel may use a region of the type; NEVER for an unknown number. */
enum handoff_reuse region_type_reuse(uint32_t type);

/* Return a region of a type, with its facts and its reuse. */
struct handoff_region region_make(uint64_t base, uint64_t size_bytes, uint32_t type,
                                  uint32_t efi_type, uint64_t attributes);

/* Return the precedence of a type. Where two types overlap, the higher precedence wins. No two
 * types have the same precedence; it is 0 for an unknown number. docs/HANDOFF.md has the table. */
unsigned region_type_precedence(uint32_t type);

/* These three functions read the region's own facts and reuse. So they also work for a type of a
 * newer minor version. A reuse that is not in enum handoff_reuse is NEVER. */
bool region_is_ram(const struct handoff_region *region);
bool region_is_mapped_ram(const struct handoff_region *region); /* and writable at entry */
enum handoff_reuse region_reuse(const struct handoff_region *region);

/* Write the first run of mapped RAM among the regions from *index on to *ret_run, and move *index
 * behind it. Firmware divides RAM into many small rows, and each border would prevent large pages.
 * So regions that touch are one run. Memory at or above `limit` is left out. Return false, and
 * write nothing, if there is no such run. Precondition: the regions are normalised (handoff.h). */
bool region_next_ram_run(const struct handoff_region *regions, size_t region_count,
                         struct phys_addr limit, size_t *index, struct phys_range *ret_run)
    __attribute__((warn_unused_result));

#endif
