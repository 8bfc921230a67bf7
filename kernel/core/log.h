/*
 * log.h - the kernel's voice: one line at a time, on every sink there is (serial, framebuffer).
 *
 * A stage line has the form `[stage] key=value …`; docs/LOG.md lists every stage and key. Usable
 * from the kernel's first instruction. Lines are kept in a buffer, and a new sink gets them all, so
 * a framebuffer that comes up late still shows the whole boot.
 * Formats are those of shared/text/format.h. Never allocates.
 */
#ifndef KERNEL_CORE_LOG_H
#define KERNEL_CORE_LOG_H

#include <stddef.h>
#include <stdint.h>

/* Where lines go. Neither callback may log or fail. */
struct log_sink {
    void (*write)(void *context, const char *text, size_t length_bytes);
    void *context;
    void (*open)(void *context); /* called once, before the first text (clear a screen); or NULL */
};

/* Add a sink (at most 4), open it and replay to it what was logged so far. */
void log_add_sink(struct log_sink sink);

/* Count from now on the cost of logging, in ticks of `timestamp`. To draw a line costs more than
 * most of the work that the line describes, so the two are counted apart. */
void log_count_ticks(uint64_t (*timestamp)(void));

/* Ticks spent in this file and in the sinks since log_count_ticks(); 0 before. */
uint64_t log_spent_ticks(void);

/* Log one line, "[stage] text\n". */
void log_line(const char *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Log each line of a text, which may lack its last newline, as a line of its own. */
void log_text(const char *stage, const char *text);

/* As log_line(), for something that went on in a defined state: "[stage] warning: text\n". */
void log_warning(const char *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Raw text to all sinks, for the panic. */
void log_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
