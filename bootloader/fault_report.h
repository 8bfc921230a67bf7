/*
 * fault_report.h - the report of a fault of the CPU, in words; and its use between the exit of boot
 * services and the kernel's handlers. own_faults.h uses the same words before the exit.
 */
#ifndef BOOTLOADER_FAULT_REPORT_H
#define BOOTLOADER_FAULT_REPORT_H

#include "bootloader/arch.h"
#include "bootloader/post_exit.h"

struct fault_report {
    struct post_exit *post_exit;
    uint64_t kernel_slide; /* an address in the kernel's file is smaller by it */
    bool is_reporting;
};

/* Enough for a report: a name and a phase, four lines, and the registers. */
#define FAULT_REPORT_CAPACITY_BYTES (700 + ARCH_REGISTERS_CAPACITY_BYTES)

/* Write the report to `text`, in several lines.
 *   phase    when it happened, in words
 *   file     the file with debug information, and `address` in it; NULL: unknown */
void fault_report_format(const struct arch_fault *fault, const char *phase, const char *file,
                         uint64_t address, char *text);

/* Report the CPU's faults, and a return of the kernel's entry, through `post_exit`, and then stop
 * the machine. Both structs must stay valid. Preconditions: interrupts are off, and boot services
 * have ended.
 */
void fault_report_install(struct fault_report *report, struct post_exit *post_exit,
                          uint64_t kernel_slide);

#endif
