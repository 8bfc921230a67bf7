/*
 * panic_print.h - the lines of a panic's report, for panic_report().
 */
#ifndef KERNEL_CORE_PANIC_PRINT_H
#define KERNEL_CORE_PANIC_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/core/panic_report.h"

/* The key that restarts the machine after the report. */
#define PANIC_RESTART_KEY         'r'
#define PANIC_RESTART_KEY_SHIFTED 'R'

/* Print the whole report on the log, and keep its lines for the screen (panic_screen.h). */
void panic_print(const struct panic_incident *incident);

#endif
