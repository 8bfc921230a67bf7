/*
 * processors.h - docs/HANDOFF.md, "Started processors": the list, the mailboxes, and the mappings of
 * the block in which processors wait. The kernel tests/qemu/small_kernels/processors.c takes them over.
 */
#ifndef PROBE_PROCESSORS_H
#define PROBE_PROCESSORS_H

#include <stdbool.h>

#include "shared/handoff.h"
#include "tests/qemu/probe/page_walk.h"
#include "tests/qemu/probe/promise.h"

void processors_check(const struct handoff *handoff, struct promises *promises);

/* Return true for a page of code, mailboxes or stacks of started processors. */
bool processors_own(const struct handoff *handoff, const struct page_leaf *leaf);

#endif
