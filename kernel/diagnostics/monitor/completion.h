/*
 * completion.h - complete the last word of an unfinished line: a command, or its first argument.
 *
 * Pure, apart from completion_list(), which prints. Phase: any. Fuzzed by tests/fuzz/fuzz_monitor.c.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_COMPLETION_H
#define KERNEL_DIAGNOSTICS_MONITOR_COMPLETION_H

#include "kernel/diagnostics/monitor/command.h"

struct completion {
    char text[24]; /* what follows the word in all possible words; with a blank if there is one */
    size_t length;
    size_t count; /* of possible words */
};

/* Find the ends of the last word in `line`. Behind a semicolon a new command begins. */
struct completion completion_find(const struct command *commands, struct piece line);

/* Print the possible words. */
void completion_list(const struct command *commands, struct piece line);

#endif
