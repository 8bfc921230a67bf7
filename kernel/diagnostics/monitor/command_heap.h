/*
 * command_heap.h - the command `heap`: views of the permanent heap.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_HEAP_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_HEAP_H

#include "kernel/diagnostics/monitor/command.h"

/* The values of its first argument, then NULL. */
extern const char *const command_heap_choices[];

void command_heap(struct monitor_state *monitor, const struct arguments *arguments);

#endif
