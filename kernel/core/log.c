#include "kernel/core/log.h"

#include <stdarg.h>
#include <stdbool.h>

#include "shared/text/format.h"

#define SINK_LIMIT 4
/* The screen opens after the first lines. A late sink gets only the lines that fit here. */
#define HISTORY_CAPACITY_BYTES (16 * 1024)
#define LINE_CAPACITY_BYTES    512

static struct log_sink sinks[SINK_LIMIT];
static bool is_busy[SINK_LIMIT]; /* the sink is being written */
static size_t sink_count;
static struct log_sink kept_sink; /* `write` is NULL without one */
static char history[HISTORY_CAPACITY_BYTES];
static size_t
    history_total_bytes;  /* all bytes so far; the newest HISTORY_CAPACITY_BYTES are kept */
static bool is_transient; /* see log_keep() */
static bool is_plain;     /* see log_plain() */
static uint64_t (*timestamp)(void); /* NULL: ticks are not counted */
static uint64_t spent_ticks;

void log_count_ticks(uint64_t (*counter)(void))
{
    timestamp = counter;
}

uint64_t log_spent_ticks(void)
{
    return spent_ticks;
}

static uint64_t now(void)
{
    return timestamp == NULL ? 0 : timestamp();
}

static void remember(const char *text, size_t length_bytes)
{
    for (size_t i = 0; i < length_bytes; i++)
        history[history_total_bytes++ % HISTORY_CAPACITY_BYTES] = text[i];
}

/* A sink that is busy has failed: its failure is what is reported now. The others show it. */
static void write_to(size_t index, const char *text, size_t length_bytes)
{
    if (is_busy[index])
        return;
    is_busy[index] = true;
    sinks[index].write(sinks[index].context, text, length_bytes);
    is_busy[index] = false;
}

/* The screen, which is the newest sink, does not wait for a serial port that takes no byte. */
static void write_all(const char *text, size_t length_bytes)
{
    if (!is_transient)
        remember(text, length_bytes);
    for (size_t i = sink_count; i > 0; i--)
        write_to(i - 1, text, length_bytes);
}

static void replay(const struct log_sink *sink)
{
    if (history_total_bytes > HISTORY_CAPACITY_BYTES) {
        size_t oldest = history_total_bytes % HISTORY_CAPACITY_BYTES;
        sink->write(sink->context, history + oldest, HISTORY_CAPACITY_BYTES - oldest);
        sink->write(sink->context, history, oldest);
    } else {
        sink->write(sink->context, history, history_total_bytes);
    }
}

void log_replay(void)
{
    for (size_t i = 0; i < sink_count; i++)
        replay(&sinks[i]);
}

size_t log_copy_newest(char *buffer, size_t capacity_bytes)
{
    size_t kept_bytes =
        history_total_bytes < HISTORY_CAPACITY_BYTES ? history_total_bytes : HISTORY_CAPACITY_BYTES;
    size_t count = kept_bytes < capacity_bytes ? kept_bytes : capacity_bytes;
    for (size_t i = 0; i < count; i++)
        buffer[i] = history[(history_total_bytes - count + i) % HISTORY_CAPACITY_BYTES];
    return count;
}

static void add_sink(size_t index, struct log_sink sink)
{
    if (sink_count == SINK_LIMIT)
        return;
    uint64_t began = now();
    for (size_t i = sink_count++; i > index; i--)
        sinks[i] = sinks[i - 1];
    sinks[index] = sink;
    if (sink.open != NULL)
        sink.open(sink.context);
    replay(&sink);
    spent_ticks += now() - began;
}

void log_keep(bool keep)
{
    is_transient = !keep;
}

void log_plain(bool plain)
{
    is_plain = plain;
}

bool log_is_plain(void)
{
    return is_plain;
}

void log_keep_sink(struct log_sink sink)
{
    kept_sink = sink;
}

void log_open_kept_sink(void)
{
    struct log_sink sink = kept_sink;
    kept_sink.write = NULL;
    if (sink.write != NULL)
        log_add_sink(sink);
}

void log_add_sink(struct log_sink sink)
{
    add_sink(sink_count, sink);
}

void log_add_first_sink(struct log_sink sink)
{
    add_sink(0, sink);
}

/* Append formatted text at *length_bytes. Text without room is cut. */
static void append_v(char *line, size_t *length_bytes, const char *format, va_list arguments)
{
    size_t room = LINE_CAPACITY_BYTES - *length_bytes;
    int wanted = format_text_v(line + *length_bytes, room, format, arguments);
    *length_bytes += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

/* Write "[stage] mark text\n" to `line`, and return its length. */
static size_t compose(char line[LINE_CAPACITY_BYTES], const char *stage, const char *mark,
                      const char *format, va_list arguments)
{
    size_t length = (size_t)format_text(line, LINE_CAPACITY_BYTES, "[%s] %s", stage, mark);
    append_v(line, &length, format, arguments);
    if (length == LINE_CAPACITY_BYTES - 1)
        length--;
    line[length++] = '\n';
    return length;
}

static void log_tagged(const char *stage, const char *mark, const char *format, va_list arguments)
{
    char line[LINE_CAPACITY_BYTES];
    uint64_t began = now();
    write_all(line, compose(line, stage, mark, format, arguments));
    spent_ticks += now() - began;
}

void log_note(const char *stage, const char *format, ...)
{
    char line[LINE_CAPACITY_BYTES];
    va_list arguments;
    va_start(arguments, format);
    size_t length = compose(line, stage, "", format, arguments);
    va_end(arguments);
    remember(line, length);
}

void log_line(const char *stage, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_tagged(stage, "", format, arguments);
    va_end(arguments);
}

void log_text(const char *stage, const char *text)
{
    while (*text != '\0') {
        const char *end = text;
        while (*end != '\0' && *end != '\n')
            end++;
        log_line(stage, "%.*s", (int)(end - text), text);
        text = *end == '\n' ? end + 1 : end;
    }
}

void log_warning(const char *stage, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_tagged(stage, "warning: ", format, arguments);
    va_end(arguments);
}

void log_raw(const char *format, ...)
{
    char line[LINE_CAPACITY_BYTES];
    size_t length = 0;
    va_list arguments;
    va_start(arguments, format);
    append_v(line, &length, format, arguments);
    va_end(arguments);
    write_all(line, length);
}
