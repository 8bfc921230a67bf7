/*
 * region.h - what loader and kernel agree on about a region's type.
 */
#ifndef SHARED_REGION_H
#define SHARED_REGION_H

#include <stdbool.h>
#include <stdint.h>

/* A short constant lower-case name without blanks ("usable", "temp-heap", …); "unknown" for a
 * number that is not in enum handoff_region_type. Never NULL. */
const char *region_type_name(uint32_t type);

/* True for what is RAM and in the direct map: USABLE … RUNTIME_CODE. Everything else, and every
 * unknown number, is not. */
bool region_type_is_ram(uint32_t type);

#endif
