#include "host/simulator/panic_host.h"

#include <stdarg.h>
#include <stdlib.h>

#include "kernel/arch.h"
#include "kernel/core/log.h"
#include "shared/arch/x86_64/exception_names.h"
#include "shared/arch/x86_64/fault_text.h"
#include "shared/text/format.h"

struct panic_host panic_host;

const char *arch_exception_name(unsigned vector)
{
    return exception_name(vector);
}

const char *arch_exception_remedy(unsigned vector)
{
    return fault_text_remedy(vector);
}

/* The callers are functions of the simulator, which has no table of them. */
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
