#include "host/simulator/panic_host.h"

#include <stdarg.h>
#include <stdlib.h>

#include "kernel/core/log.h"
#include "shared/text/format.h"

struct panic_host panic_host;

/* The callers are functions of the simulator, which has no symbol table. */
void panic_note(const char *role, const void *address)
{
    (void)role;
    (void)address;
}

_Noreturn void panic_raise(const char *file, int line, enum panic_code code, const char *format,
                           ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)format_text_v(panic_host.cause, sizeof(panic_host.cause), format, arguments);
    va_end(arguments);
    panic_host.code = code;
    log_raw("[panic] code=0x%02x name=\"%s\"\n", (unsigned)code, panic_code_name(code));
    log_raw("[panic] cause: %s\n", panic_host.cause);
    log_raw("[panic] raised at %s:%d\n", file, line);
    if (!panic_host.armed)
        abort();
    panic_host.armed = false;
    longjmp(panic_host.leave, 1);
}
