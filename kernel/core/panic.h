/*
 * panic.h - report a broken invariant, and stop the kernel.
 *
 * A panic prints its code and name, the cause, a remedy, the place, registers, a symbolised
 * backtrace and the state of memory on serial port and framebuffer. Then it halts. In a test it
 * leaves QEMU through the debug-exit port, with its code as the value. It needs no heap and takes
 * no lock, and no function that it calls can panic. A panic inside a panic prints one line and
 * halts.
 *
 * A panic is for a broken invariant, a corrupt structure or an exception in the kernel. For
 * untrusted input and for exhaustion, functions return a status that callers check.
 *
 * Host tests provide their own panic_raise(), so pure files that include this header compile for
 * the host without a change.
 */
#ifndef KERNEL_CORE_PANIC_H
#define KERNEL_CORE_PANIC_H

#include "shared/debug_exit.h"

/* The codes are stable: they are the exit values of tests and are listed in docs/LOG.md. QEMU turns
 * the value v into the exit status 2v + 1, so they stay below 128 (and avoid 0x10, DEBUG_EXIT_OK).
 */
enum panic_code {
    PANIC_HANDOFF = 0x11,           /* the handoff cannot be trusted */
    PANIC_EARLY_HEAP_STRICT = 0x12, /* heap=strict, and the temporary heap was refused */
    PANIC_EARLY_HEAP_EXHAUSTED = 0x13,
    PANIC_EARLY_HEAP_RETIRED = 0x14, /* used after retirement */
    PANIC_EARLY_HEAP_FREE = 0x15,    /* a free that is not last-in-first-out, or double */
    PANIC_EARLY_HEAP_CORRUPT = 0x16,
    PANIC_MEMORY_MAP = 0x17,     /* empty, or below the minimum RAM */
    PANIC_FRAME_METADATA = 0x18, /* no room for the frame allocator's records */
    PANIC_FRAME_FREE = 0x19,     /* double free, reserved, unaligned or foreign frame */
    /* 0x1a is not used again: it was "frame allocator corrupt", and no code raised it. */
    PANIC_PAGE_TABLES = 0x1b, /* the kernel's own tables could not be built */
    PANIC_PAGE_AUDIT = 0x1c,  /* the live tables break a rule */
    PANIC_HEAP_INIT = 0x1d,
    PANIC_HEAP_DOUBLE_FREE = 0x1e,
    PANIC_HEAP_BAD_POINTER = 0x1f, /* foreign, interior, unaligned or early-heap pointer */
    PANIC_HEAP_OVERRUN = 0x20,     /* a block was written beyond its end or before its start */
    PANIC_HEAP_CORRUPT = 0x21,     /* a free-list link or a header is invalid */
    PANIC_SELF_TEST = 0x22,
    PANIC_ASSERTION = 0x23,
    PANIC_STACK_OVERFLOW = 0x24,     /* a guard page was hit */
    PANIC_NULL_ACCESS = 0x25,        /* a page fault in page 0 */
    PANIC_WRITE_PROTECTION = 0x26,   /* a write to a read-only page */
    PANIC_EXECUTE_PROTECTION = 0x27, /* an instruction fetch from a non-executable page */
    PANIC_POWER_OFF = 0x28,          /* no way worked */
    PANIC_NESTED = 0x29,             /* a panic or fault while a panic was being printed */
    PANIC_UNEXPECTED_INTERRUPT = 0x2a,
    PANIC_LOADER_FAULT = DEBUG_EXIT_LOADER_FAULT, /* raised by the loader, like the next code */
    PANIC_KERNEL_RETURNED = DEBUG_EXIT_KERNEL_RETURNED,
    PANIC_GUARD_PAGE = 0x2d,     /* a guard page of a heap window */
    PANIC_LOCK_STUCK = 0x2e,     /* a lock that is never released */
    PANIC_UNDEFINED = 0x2f,      /* undefined behaviour; only with UBSAN=1 */
    PANIC_BAD_ACCESS = 0x30,     /* outside of every live block; only with KASAN=1 */
    PANIC_HEAP_GUARD = 0x31,     /* beside a guarded block, or in one that was freed */
    PANIC_EXCEPTION_BASE = 0x40, /* + vector (0…31): a CPU exception with no better name */
};

/* The value that leaves QEMU for a boot that reached [ready]. */
#define DEBUG_EXIT_OK 0x10u

/* Return a constant name: "heap double free", …. Exceptions have names too ("#DE divide error"). */
const char *panic_code_name(enum panic_code code);

/* Return the remedy: a constant sentence without its full stop. Never NULL. */
const char *panic_code_remedy(enum panic_code code);

/* Make the report of the panic that follows at once name this code address and its function. There
 * are at most PANIC_NOTE_LIMIT notes; NULL is left out. `role` is a constant: "allocated by". */
#define PANIC_NOTE_LIMIT 3
void panic_note(const char *role, const void *address);

/* The format is that of format_text() in shared/text/format.h. It does not return. */
_Noreturn void panic_raise(const char *file, int line, enum panic_code code, const char *format,
                           ...) __attribute__((format(printf, 4, 5)));

#define panic(code, ...) panic_raise(__FILE__, __LINE__, (code), __VA_ARGS__)

/* Check an invariant of the kernel. It is always on. Never use it for untrusted input. */
#define kernel_assert(condition)                                                                   \
    ((condition) ? (void)0 : panic(PANIC_ASSERTION, "assertion failed: %s", #condition))

#endif
