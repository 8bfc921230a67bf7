#include "tests/unit/support/log_stub.h"

#include <stdarg.h>
#include <stdio.h>

#include "kernel/core/interrupts.h"
#include "kernel/core/log.h"

struct log_stub log_stub;

static void append(const char *format, va_list arguments)
{
    size_t room = sizeof log_stub.text - log_stub.length;
    int length = vsnprintf(log_stub.text + log_stub.length, room, format, arguments);
    log_stub.length += (size_t)length < room ? (size_t)length : room - 1;
}

void log_raw(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append(format, arguments);
    va_end(arguments);
}

void log_line(const char *stage, const char *format, ...)
{
    va_list arguments;
    log_raw("[%s] ", stage);
    va_start(arguments, format);
    append(format, arguments);
    va_end(arguments);
    log_raw("\n");
}

void log_note(const char *stage, const char *format, ...)
{
    (void)stage;
    (void)format;
    log_stub.note_count++;
}

void log_keep(bool keep)
{
    log_stub.is_transient = !keep;
}

void log_plain(bool plain)
{
    log_stub.plain_count += plain;
    log_stub.is_plain = plain;
}

void log_replay(void)
{
    log_stub.replay_count++;
}

uint64_t log_spent_ticks(void)
{
    return 0;
}

void log_stub_clear(void)
{
    log_stub.length = 0;
    log_stub.text[0] = '\0';
}

void log_warning(const char *stage, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(log_stub.last_warning, sizeof log_stub.last_warning, "[%s] ", stage);
    va_start(arguments, format);
    (void)vsnprintf(log_stub.last_warning + length, sizeof log_stub.last_warning - (size_t)length,
                    format, arguments);
    va_end(arguments);
    log_stub.warning_count++;
    log_stub.hold_depth = cpu_current()->interrupts.hold_depth;
}
