/*
 * cpu_state.h - docs/HANDOFF.md, "The CPU at entry".
 */
#ifndef PROBE_CPU_STATE_H
#define PROBE_CPU_STATE_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

/* Precondition: the structure and the page tables have been checked. */
void cpu_state_check(const struct handoff *handoff, struct promises *promises);

#endif
