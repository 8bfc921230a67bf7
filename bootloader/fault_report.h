/*
 * fault_report.h - a fault between the firmware and the kernel's own handlers, in words.
 */
#ifndef BOOTLOADER_FAULT_REPORT_H
#define BOOTLOADER_FAULT_REPORT_H

#include "bootloader/post_exit.h"

struct fault_report {
    struct post_exit *post_exit;
    bool is_reporting;
};

/* Let the CPU's faults, and the return of the kernel's entry, be reported through `post_exit`, and
 * end the machine. Both structs must stay. Preconditions: interrupts are off, the firmware is gone.
 */
void fault_report_install(struct fault_report *report, struct post_exit *post_exit);

#endif
