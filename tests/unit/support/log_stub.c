#include "tests/unit/support/log_stub.h"

#include <stdarg.h>
#include <stdio.h>

#include "kernel/core/interrupts.h"
#include "kernel/core/log.h"

struct log_stub log_stub;

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
