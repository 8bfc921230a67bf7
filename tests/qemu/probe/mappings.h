/*
 * mappings.h - docs/HANDOFF.md, "Mappings at entry", read from the page tables in use.
 */
#ifndef PROBE_MAPPINGS_H
#define PROBE_MAPPINGS_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

void mappings_check(const struct handoff *handoff, struct promises *promises);

#endif
