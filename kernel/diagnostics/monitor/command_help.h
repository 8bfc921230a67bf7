/*
 * command_help.h - the command `help`.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_HELP_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_HELP_H

#include "kernel/diagnostics/monitor/command.h"

void command_help(struct monitor_state *monitor, const struct arguments *arguments);

#endif
