/*
 * command_trial.h - the commands that try something out: `bench`, `lesson` and `panic`.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_TRIAL_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_TRIAL_H

#include "kernel/diagnostics/monitor/command.h"

/* The measurements allocate from the heap, which they measure, and free all of it. */
void command_bench(struct monitor_state *monitor, const struct arguments *arguments);

void command_lesson(struct monitor_state *monitor, const struct arguments *arguments);
void command_panic(struct monitor_state *monitor, const struct arguments *arguments);

#endif
