/*
 * structure.h - check docs/HANDOFF.md, "The structure" and "Reading it safely". These promises must
 * hold before other code reads through the structure.
 */
#ifndef PROBE_STRUCTURE_H
#define PROBE_STRUCTURE_H

#include <stdbool.h>

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

/* Return false if a promise is broken. Then the rest of the structure cannot be trusted. */
bool structure_check(const struct handoff *handoff, struct promises *promises);

#endif
