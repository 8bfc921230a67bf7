/*
 * log.h - the kernel's voice: one line at a time, on every sink there is (serial, framebuffer).
 *
 * A stage line has the form `[stage] key=value …`; docs/LOG.md lists every stage and key. Usable
 * from the kernel's first instruction: a line that was logged before a sink was added is kept in a
 * buffer and replayed to the sink, so a framebuffer that comes up late still shows the whole boot.
 * Formats are those of shared/format.h. Never allocates.
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stddef.h>

/* Where lines go. `write` must not log and must not fail. */
struct log_sink {
    void (*write)(void *context, const char *text, size_t length_bytes);
    void *context;
};

/* Add a sink (at most 4) and replay to it what was logged so far. */
void log_add_sink(struct log_sink sink);

/* Log one line, "[stage] text\n". */
void log_line(const char *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for something that went on in a defined state: "[stage] warning: text\n". */
void log_warning(const char *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Raw text to all sinks, for the panic. */
void log_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
