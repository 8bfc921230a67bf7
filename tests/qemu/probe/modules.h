/*
 * modules.h - the promises about modules and further temporary heaps.
 */
#ifndef PROBE_MODULES_H
#define PROBE_MODULES_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

/* Check all of them. Precondition: structure.c has checked the arrays. */
void modules_check(const struct handoff *handoff, struct promises *promises);

/* Print number, texts, sizes and sums of bytes, which only the test can check. */
void modules_say(const struct handoff *handoff);

#endif
