/*
 * provoke.h - failures on purpose, by the command line: `provoke=NAME`.
 *
 * This is for tests, and for users who want to see the report of a failure. The names are in
 * docs/LOG.md.
 */
#ifndef KERNEL_DIAGNOSTICS_PROVOKE_H
#define KERNEL_DIAGNOSTICS_PROVOKE_H

#include "kernel/kernel.h"

/* Run the provocation that the command line names, if any. It is called twice: before the kernel
 * has its own fault handlers, and when it is ready. Each provocation belongs to one of the two
 * calls. It returns if there is no request, or if the kernel survives. An unknown name is a
 * warning. */
void provoke(struct kernel *kernel, bool before_handlers);

/* Run this provocation, for the monitor. An unknown name, and one that is possible only before the
 * kernel has its own fault handlers, is a warning. */
void provoke_name(struct kernel *kernel, const char *name);

#endif
