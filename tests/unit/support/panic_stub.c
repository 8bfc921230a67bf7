#include "tests/unit/support/panic_stub.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct panic_stub panic_stub;

void panic_note(const char *role, const void *address)
{
    if (address == NULL || panic_stub.note_count == PANIC_NOTE_LIMIT)
        return;
    panic_stub.notes[panic_stub.note_count].role = role;
    panic_stub.notes[panic_stub.note_count++].address = address;
}

const void *panic_stub_noted(const char *role)
{
    for (unsigned i = 0; i < panic_stub.note_count; i++) {
        if (strcmp(panic_stub.notes[i].role, role) == 0)
            return panic_stub.notes[i].address;
    }
    return NULL;
}

static _Noreturn void leave(const char *file, int line, enum panic_code code)
{
    panic_stub.code = code;
    if (!panic_stub.armed) {
        (void)fprintf(stderr, "%s:%d: unexpected panic 0x%x: %s\n", file, line, (unsigned)code,
                      panic_stub.message);
        abort();
    }
    panic_stub.armed = false;
    longjmp(panic_stub.jump, 1);
}

_Noreturn void panic_raise(const char *file, int line, enum panic_code code, const char *format,
                           ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(panic_stub.message, sizeof(panic_stub.message), format, arguments);
    va_end(arguments);
    leave(file, line, code);
}

_Noreturn void panic_report(const struct panic_incident *incident)
{
    (void)snprintf(panic_stub.message, sizeof(panic_stub.message), "%s", incident->cause);
    panic_stub.detail = incident->detail;
    panic_stub.registers = incident->registers;
    leave("an exception", 0, incident->code);
}
