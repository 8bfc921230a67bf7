/*
 * command_bytes.h - the commands `peek` and `poke`, on memory that is mapped.
 *
 * Both look the pages up in the tables first, and refuse with a reason. So they never fault. With
 * `force`, the access is made in any case, and a fault is a panic.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMMAND_BYTES_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMMAND_BYTES_H

#include "kernel/diagnostics/monitor/command.h"

void command_peek(struct monitor_state *monitor, const struct arguments *arguments);
void command_poke(struct monitor_state *monitor, const struct arguments *arguments);

#endif
