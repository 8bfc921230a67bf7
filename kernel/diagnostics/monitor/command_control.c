#include "kernel/diagnostics/monitor/command_control.h"

void command_reboot(struct monitor_state *monitor, const struct arguments *arguments)
{
    (void)arguments;
    monitor->action = MONITOR_RESTART;
}

void command_power_off(struct monitor_state *monitor, const struct arguments *arguments)
{
    (void)arguments;
    monitor->action = MONITOR_POWER_OFF;
}
