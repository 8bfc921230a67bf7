/*
 * command_control.h - the commands that end the machine: `reboot` and `poweroff`.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_CONTROL_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_CONTROL_H

#include "kernel/diagnostics/monitor/command.h"

void command_reboot(struct monitor_state *monitor, const struct arguments *arguments);
void command_power_off(struct monitor_state *monitor, const struct arguments *arguments);

#endif
