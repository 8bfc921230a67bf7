/*
 * monitor.h - the monitor: a person types commands, and the kernel answers.
 *
 *   keys (kernel/input/) -> line_editor -> command_run -> commands.c -> command_*.c
 *
 * The answers go to the sinks of the log, and not into its history: they must not push out the log
 * of the boot. The commands themselves are kept there, so that a panic shows the last one.
 *
 * Phase: [ready]. Concurrency: one user.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_MONITOR_H
#define KERNEL_DIAGNOSTICS_MONITOR_MONITOR_H

#include "kernel/diagnostics/monitor/command.h"
#include "kernel/diagnostics/monitor/line_editor.h"

struct monitor {
    struct monitor_state state;
    struct line_history history;
    struct line_editor editor;
};

void monitor_initialise(struct monitor *monitor, struct kernel *kernel);

/* Run a list of commands, with semicolons between them. Return the action of the first command that
 * ends the machine, else MONITOR_STAY. */
enum monitor_action monitor_run(struct monitor *monitor, struct piece list);

/* Begin the dialogue: print the first prompt. */
void monitor_begin(struct monitor *monitor);

/* Take a key. F1 and Ctrl-O switch the screen between overview and log. Any other key brings the log,
 * and is edited. Return the action that a command demands. */
enum monitor_action monitor_take(struct monitor *monitor, key_code key);

#endif
