#include "tests/unit/support/panic_stub.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct panic_stub panic_stub;

_Noreturn void panic_raise(const char *file, int line, enum panic_code code, const char *format,
                           ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(panic_stub.message, sizeof(panic_stub.message), format, arguments);
    va_end(arguments);
    panic_stub.code = code;
    if (!panic_stub.armed) {
        (void)fprintf(stderr, "%s:%d: unexpected panic 0x%x: %s\n", file, line, (unsigned)code,
                      panic_stub.message);
        abort();
    }
    panic_stub.armed = false;
    longjmp(panic_stub.jump, 1);
}
