/*
 * provoke.h - failures on purpose, by the command line: `provoke=NAME`.
 *
 * For tests, and for people who want to see what a failure looks like before they meet one. The
 * names are in docs/LOG.md.
 */
#ifndef KERNEL_DIAGNOSTICS_PROVOKE_H
#define KERNEL_DIAGNOSTICS_PROVOKE_H

#include "kernel/kernel.h"

/* Run what the command line asks for, if anything. Called twice: before the kernel has fault
 * handlers of its own, and when it is ready; each provocation belongs to one of the two. Returns if
 * nothing was asked for or the kernel survived it; an unknown name is a warning. */
void provoke(struct kernel *kernel, bool before_handlers);

#endif
