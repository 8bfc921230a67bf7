/*
 * log.h - the kernel's log: lines that go to every sink (serial port, framebuffer).
 *
 * A stage line has the form `[stage] key=value …`; docs/LOG.md lists every stage and key. The log
 * works from the kernel's first instruction on. Lines are kept in a buffer, and a new sink gets all
 * of them. So a framebuffer that starts late still shows the whole boot. Formats are those of
 * shared/text/format.h. It never allocates.
 */
#ifndef KERNEL_CORE_LOG_H
#define KERNEL_CORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A destination of lines. Neither callback may log or fail. */
struct log_sink {
    void (*write)(void *context, const char *text, size_t length_bytes);
    void *context;
    void (*open)(void *context); /* called once, before the first text (clear a screen); or NULL */
};

/* Add a sink (at most 4), open it, and write all earlier lines to it. */
void log_add_sink(struct log_sink sink);

/* Keep one sink aside until log_open_kept_sink(), which adds it. Without one it does nothing. */
void log_keep_sink(struct log_sink sink);
void log_open_kept_sink(void);

/* The same for a sink that gets each line before the others, one of which may fault. */
void log_add_first_sink(struct log_sink sink);

/* Copy the newest bytes of the log, at most `capacity_bytes`, and return their number. */
size_t log_copy_newest(char *buffer, size_t capacity_bytes);

/* Write the kept text to all sinks once more. */
void log_replay(void);

/* Count the cost of logging from now on, in ticks of `timestamp`. Drawing a line costs more than
 * most of the work that it describes, so the two are counted separately. */
void log_count_ticks(uint64_t (*timestamp)(void));

/* Return the ticks spent in this file and in the sinks since log_count_ticks(), or 0 before it. */
uint64_t log_spent_ticks(void);

/* Log one line, "[stage] text\n". */
void log_line(const char *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Log each line of a text as a separate line. The last newline may be missing. */
void log_text(const char *stage, const char *text);

/* The same for a problem after which the kernel continues in a defined state: "[stage] warning:
 * text\n". */
void log_warning(const char *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Keep such a line without showing it. */
void log_note(const char *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With false, all following text goes to the sinks only, and is not kept. The monitor does this, so
 * that its answers do not push the log of the boot out of the buffer. */
void log_keep(bool keep);

/* With true, a sink that adds colours to the text adds none from now on: the text is for a file. */
void log_plain(bool plain);
bool log_is_plain(void);

/* Write raw text to all sinks, for the panic and the monitor. */
void log_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
