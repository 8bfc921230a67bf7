/*
 * command_memory.h - the commands about physical memory: `map`, `frames` and `early`.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_MEMORY_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_MEMORY_H

#include "kernel/diagnostics/monitor/command.h"

void command_map(struct monitor_state *monitor, const struct arguments *arguments);
void command_frames(struct monitor_state *monitor, const struct arguments *arguments);
void command_early(struct monitor_state *monitor, const struct arguments *arguments);

#endif
