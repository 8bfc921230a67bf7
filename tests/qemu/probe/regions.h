/*
 * regions.h - docs/HANDOFF.md, "struct handoff_region" and "Regions: the owners of memory": the
 * form of the regions, and that each block of the loader is covered by regions of its type.
 */
#ifndef PROBE_REGIONS_H
#define PROBE_REGIONS_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

void regions_check(const struct handoff *handoff, struct promises *promises);

#endif
