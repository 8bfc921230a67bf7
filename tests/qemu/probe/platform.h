/*
 * platform.h - the framebuffer, the firmware's tables and the random seed.
 */
#ifndef PROBE_PLATFORM_H
#define PROBE_PLATFORM_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

void platform_check(const struct handoff *handoff, struct promises *promises);

#endif
