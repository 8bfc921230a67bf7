/*
 * texts.h - check the command line, the loader's log and its timeline.
 */
#ifndef PROBE_TEXTS_H
#define PROBE_TEXTS_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

void texts_check(const struct handoff *handoff, struct promises *promises);

#endif
