/*
 * command_boot.h - the commands about the boot: `handoff`, `timeline`, `log` and `dump`.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_BOOT_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_BOOT_H

#include "kernel/diagnostics/monitor/command.h"

void command_handoff(struct monitor_state *monitor, const struct arguments *arguments);
void command_timeline(struct monitor_state *monitor, const struct arguments *arguments);
void command_log(struct monitor_state *monitor, const struct arguments *arguments);
void command_dump(struct monitor_state *monitor, const struct arguments *arguments);

#endif
