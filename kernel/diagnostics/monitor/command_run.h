/*
 * command_run.h - find the command of a line, check its arguments, and run it.
 *
 * Pure, apart from the command itself. Phase: [ready].
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_RUN_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_RUN_H

#include "kernel/diagnostics/monitor/command.h"

/* Run one line. A mistake prints a sentence that says what was expected, and runs nothing. A line of
 * blanks does nothing. */
void command_run(struct monitor_state *monitor, struct piece line);

#endif
