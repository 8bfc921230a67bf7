/*
 * commands.h - the table of all commands.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMANDS_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMANDS_H

#include "kernel/diagnostics/monitor/command.h"

/* The name behind the last is NULL. */
extern const struct command monitor_commands[];

#endif
