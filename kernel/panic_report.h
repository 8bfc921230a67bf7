/*
 * panic_report.h - the one place where a panic is printed, for panic_raise() and the CPU's
 * exceptions.
 */
#ifndef KERNEL_PANIC_REPORT_H
#define KERNEL_PANIC_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch.h"
#include "kernel/panic.h"

/* Print code, name, cause, place (file NULL: none), registers and backtrace; leave QEMU if a
 * debug-exit port is set; halt. Entered a second time it prints one line and halts. */
_Noreturn void panic_report(enum panic_code code, const char *cause, const char *file, int line,
                            const struct arch_registers *registers);

/* The I/O port of QEMU's isa-debug-exit device (command line: debug-exit=0xf4); 0 for none. */
void panic_set_debug_exit_port(uint16_t port);

#endif
