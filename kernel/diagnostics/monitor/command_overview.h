/*
 * command_overview.h - the command `overview`.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_OVERVIEW_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_OVERVIEW_H

#include "kernel/diagnostics/monitor/command.h"

void command_overview(struct monitor_state *monitor, const struct arguments *arguments);

#endif
