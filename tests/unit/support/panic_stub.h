/*
 * panic_stub.h - the kernel's panic on the host. It is recorded, and the test goes on.
 * panic_raise() and panic_report() jump back to the macro that expects the panic. An unexpected
 * panic prints its message and aborts.
 */
#ifndef TESTS_UNIT_SUPPORT_PANIC_STUB_H
#define TESTS_UNIT_SUPPORT_PANIC_STUB_H

#include <setjmp.h>
#include <stdbool.h>

#include "kernel/core/panic.h"
#include "kernel/core/panic_report.h"

struct panic_stub {
    bool armed;
    jmp_buf jump;
    enum panic_code code; /* of the last panic */
    char message[512];
    struct {
        const char *role;
        const void *address;
    } notes[PANIC_NOTE_LIMIT]; /* of the last panic */
    unsigned note_count;
    /* Of a panic_report(): */
    const char *detail;
    const struct arch_registers *registers;
};

extern struct panic_stub panic_stub;

/* Return the address of the last panic's note with this role, or NULL. */
const void *panic_stub_noted(const char *role);

/* Run `statement` and store in `panicked` (a bool variable) whether it ended in a panic. Local
 * variables that the statement changes must be volatile to be read after a panic. */
#define catch_panic(panicked, statement)                                                           \
    do {                                                                                           \
        panic_stub.armed = true;                                                                   \
        panic_stub.note_count = 0;                                                                 \
        if (setjmp(panic_stub.jump) == 0) {                                                        \
            statement;                                                                             \
            (panicked) = false;                                                                    \
        } else {                                                                                   \
            (panicked) = true;                                                                     \
        }                                                                                          \
        panic_stub.armed = false;                                                                  \
    } while (0)

/* Fail the cmocka test unless `statement` panics with this code. */
#define expect_panic(expected_code, statement)                                                     \
    do {                                                                                           \
        volatile bool did_panic;                                                                   \
        catch_panic(did_panic, statement);                                                         \
        if (!did_panic)                                                                            \
            fail_msg("no panic from: %s", #statement);                                             \
        if (panic_stub.code != (expected_code))                                                    \
            fail_msg("panic 0x%x (%s) instead of %s from: %s", (unsigned)panic_stub.code,          \
                     panic_stub.message, #expected_code, #statement);                              \
    } while (0)

#endif
