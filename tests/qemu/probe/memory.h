/*
 * memory.h - check the memory itself: .bss and the gaps are zero, heap and stack can be used.
 */
#ifndef PROBE_MEMORY_H
#define PROBE_MEMORY_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

/* Precondition: no code has written to .bss. */
void memory_check_image(const struct handoff *handoff, struct promises *promises);
/* Writes to the temporary heap and to the unused part of the stack. */
void memory_check_use(const struct handoff *handoff, struct promises *promises);

#endif
