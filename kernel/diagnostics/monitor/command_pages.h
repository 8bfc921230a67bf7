/*
 * command_pages.h - the commands about the address space: `pages` and `space`.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_PAGES_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_PAGES_H

#include "kernel/diagnostics/monitor/command.h"

void command_pages(struct monitor_state *monitor, const struct arguments *arguments);
void command_space(struct monitor_state *monitor, const struct arguments *arguments);

#endif
