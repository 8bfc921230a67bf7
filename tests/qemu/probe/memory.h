/*
 * memory.h - the memory itself: what must be zero is zero, and what is the kernel's can be used.
 */
#ifndef PROBE_MEMORY_H
#define PROBE_MEMORY_H

#include "shared/handoff.h"
#include "tests/qemu/probe/promise.h"

/* Precondition: nothing in .bss has been written. */
void memory_check_image(const struct handoff *handoff, struct promises *promises);
/* Writes to the temporary heap and to the free part of the stack. */
void memory_check_use(const struct handoff *handoff, struct promises *promises);

#endif
