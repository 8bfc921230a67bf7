/*
 * lesson_request.h - run a lesson of docs/learn/ that `words` ask for: `lesson=4`, on the command line or as a command of the monitor.
 *
 * Two files implement it. The ordinary kernel has lesson_absent.c, which says in a warning how to get a
 * kernel with lessons. `make lesson` links lessons/ and kernel/diagnostics/lessons/ in its place.
 */
#ifndef KERNEL_DIAGNOSTICS_LESSON_REQUEST_H
#define KERNEL_DIAGNOSTICS_LESSON_REQUEST_H

#include "kernel/kernel.h"

/* Run the requested lesson, if any, on `memory`: whole pages that nobody uses, maybe none. It returns
 * whatever the reader's code does, unless that changed memory which is not its own. Nothing uses the
 * memory afterwards. */
void lesson_request(struct kernel *kernel, const char *words, struct phys_range memory);

#endif
