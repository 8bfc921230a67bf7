/*
 * descriptor_tables.h - the loader's GDT, TSS and IDT. They are in force from the exit of boot
 * services until the kernel loads its own. A fault in this time is reported on serial port and
 * screen, and never resets the machine silently.
 *
 * GDT: 0x08 64-bit code, 0x10 data, 0x18 TSS (two entries). The kernel starts with these selectors
 * (docs/HANDOFF.md). Every vector has a handler. Handlers do not use the interrupted stack, since
 * it may be the cause of the fault. They use IST 1 for faults and interrupts, 2 for #DF, 3 for NMI,
 * and 4 for #MC (Intel SDM Vol. 3A, 6.14.5).
 */
#ifndef BOOTLOADER_ARCH_X86_64_DESCRIPTOR_TABLES_H
#define BOOTLOADER_ARCH_X86_64_DESCRIPTOR_TABLES_H

#define SELECTOR_CODE       0x08
#define SELECTOR_DATA       0x10
#define SELECTOR_TASK_STATE 0x18

/* Enough for a report. The largest frames hold its text. */
#define FAULT_STACK_SIZE_BYTES 4096

#ifndef __ASSEMBLER__

#include <stdint.h>

/* Load the tables again, at the addresses that the image has in the upper half: `displacement`
 * bytes above its physical addresses. So a kernel that drops the lower half of its tables keeps the
 * handlers. From now on the handlers run on the page tables at `page_table_root`. Precondition:
 * arch_install_fault_handlers() was called; the tables at `page_table_root` are live.
 */
void descriptor_tables_move_up(uint64_t displacement, uint64_t page_table_root);

#endif

#endif
