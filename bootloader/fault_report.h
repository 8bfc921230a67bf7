/*
 * fault_report.h - report a fault between the exit of boot services and the kernel's handlers.
 */
#ifndef BOOTLOADER_FAULT_REPORT_H
#define BOOTLOADER_FAULT_REPORT_H

#include "bootloader/post_exit.h"

struct fault_report {
    struct post_exit *post_exit;
    bool is_reporting;
};

/* Report the CPU's faults, and a return of the kernel's entry, through `post_exit`, and then stop
 * the machine. Both structs must stay valid. Preconditions: interrupts are off, and boot services
 * have ended.
 */
void fault_report_install(struct fault_report *report, struct post_exit *post_exit);

#endif
