/*
 * region.h - what loader and kernel agree on about regions: what each type means, and runs of RAM.
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

/* HANDOFF_FACT_* of a type. 0 for a number that is not in enum handoff_region_type. */
uint32_t region_type_facts(uint32_t type);

/* From when a kernel may take a region of the type; NEVER for an unknown number. */
enum handoff_reuse region_type_reuse(uint32_t type);

/* A region of a type, with its facts and its reuse. */
struct handoff_region region_make(uint64_t base, uint64_t size_bytes, uint32_t type,
                                  uint32_t efi_type, uint64_t attributes);

/* Which of two types holds where they overlap: the one with the higher precedence. No two types
 * have the same; 0 for an unknown number. docs/HANDOFF.md has the table. */
unsigned region_type_precedence(uint32_t type);

/* These three read the region's own facts and reuse, so that a type of a newer minor version is
 * understood, too. A reuse that is not in enum handoff_reuse is NEVER. */
bool region_is_ram(const struct handoff_region *region);
bool region_is_mapped_ram(const struct handoff_region *region); /* and writable at entry */
enum handoff_reuse region_reuse(const struct handoff_region *region);

/* Write the first run of mapped RAM among the regions from *index on to *ret_run, and move *index
 * behind it. Firmware cuts RAM into many small rows and each cut would cost large pages, so regions
 * that touch are one run. Memory at or above `limit` is cut off. False, and nothing
 * written, if there is no such run. Precondition: the regions are normalised (handoff.h). */
bool region_next_ram_run(const struct handoff_region *regions, size_t region_count,
                         struct phys_addr limit, size_t *index, struct phys_range *ret_run)
    __attribute__((warn_unused_result));

#endif
