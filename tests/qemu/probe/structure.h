/*
 * structure.h - docs/HANDOFF.md, "The structure" and "Reading it safely": what must hold before
 * anything can be read through it.
 */
#ifndef PROBE_STRUCTURE_H
#define PROBE_STRUCTURE_H

#include <stdbool.h>

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

/* False if a promise was broken, so that the rest of the structure cannot be relied on. */
bool structure_check(const struct handoff *handoff, struct promises *promises);

#endif
