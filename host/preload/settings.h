/*
 * settings.h - the preload library's settings from the environment.
 *
 *   HANDOFF_HEAP        the policy: fast (default), best-fit or first-fit
 *   HANDOFF_HEAP_DEBUG  on: record the callers of each block, and find writes to freed
 *                       blocks, at the end at the latest (heap_debug.h)
 *   HANDOFF_HEAP_STATS  on: print the heap's figures when the program ends
 *   HANDOFF_HEAP_TRACE  record every call into the file of this name with "." and the process's
 *                       number behind it (host/preload/trace.h)
 *
 * On is 1, on, yes or true; off is 0, off, no, false or nothing. Another word gets a warning and
 * means off. Another variable whose name begins with HANDOFF_HEAP gets a warning and is ignored.
 */
#ifndef HOST_PRELOAD_SETTINGS_H
#define HOST_PRELOAD_SETTINGS_H

#include <handoff/heap.h>
#include <stdbool.h>

struct settings {
    const struct heap_policy *policy;
    bool is_debugged;
    bool has_statistics;
    const char *trace_path; /* in the environment; NULL: no trace */
};

/* Read the settings, and print warnings on standard error. A policy that does not exist, or cannot
 * serve a program, ends the program. `environment` is the environment that main() gets; NULL means
 * no variables. */
struct settings settings_read(char *const *environment);

#endif
