/*
 * command_blocks.h - the commands `alloc`, `free` and `realloc`, on the permanent heap.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_BLOCKS_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_BLOCKS_H

#include "kernel/diagnostics/monitor/command.h"

void command_alloc(struct monitor_state *monitor, const struct arguments *arguments);
void command_free(struct monitor_state *monitor, const struct arguments *arguments);
void command_realloc(struct monitor_state *monitor, const struct arguments *arguments);

#endif
