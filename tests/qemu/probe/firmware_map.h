/*
 * firmware_map.h - derive the type of every page from the raw EFI map by the rules of
 * docs/HANDOFF.md, and compare it with the regions.
 */
#ifndef PROBE_FIRMWARE_MAP_H
#define PROBE_FIRMWARE_MAP_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

void firmware_map_check(const struct handoff *handoff, struct promises *promises);

#endif
