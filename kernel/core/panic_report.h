/*
 * panic_report.h - print a panic, for panic_raise() and for the faults of fault.h.
 */
#ifndef KERNEL_CORE_PANIC_REPORT_H
#define KERNEL_CORE_PANIC_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/core/panic.h"

struct arch_registers;

struct panic_incident {
    enum panic_code code;
    const char *cause;
    const char *detail; /* the error code in words, "error code 0x2: …"; NULL: no code */
    const char *file;   /* and line, where it was raised; NULL: not in C */
    int line;
    const struct arch_registers *registers;
};

/* Print the report (docs/LOG.md) on the log, and draw it on the screen. Leave QEMU if a debug-exit
 * port is set, else halt. A second call prints one line and halts. */
_Noreturn void panic_report(const struct panic_incident *incident);

/* Set the I/O port of QEMU's isa-debug-exit device (command line: debug-exit=0xf4); 0 for no
 * device. */
void panic_set_debug_exit_port(uint16_t port);

/* Print the state of memory in the report from now on. `describe` writes line number `index` of it,
 * or returns false behind the last. A panic may come from inside of an allocator: `describe` must
 * take no lock, follow no list, and not panic. */
void panic_describe_memory_with(bool (*describe)(const void *context, unsigned index, char *text,
                                                 size_t capacity_bytes),
                                const void *context);

#endif
