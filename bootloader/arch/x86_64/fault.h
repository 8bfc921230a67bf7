/*
 * fault.h - the loader's GDT, TSS and IDT: from the exit of boot services until the kernel has its
 * own, a fault is named on serial and screen, never a silent reset.
 *
 * GDT: 0x08 64-bit code, 0x10 data, 0x18 TSS (two entries). The kernel starts with these selectors
 * (docs/HANDOFF.md). Every vector has a handler, and every handler a stack that does not depend on
 * the one which may be the cause: IST 1 for faults and interrupts, 2 for #DF, 3 for NMI, 4 for #MC
 * (Intel SDM Vol. 3A, 6.14.5).
 */
#ifndef BOOTLOADER_ARCH_X86_64_FAULT_H
#define BOOTLOADER_ARCH_X86_64_FAULT_H

#include "bootloader/post_exit.h"

#define FAULT_CODE_SELECTOR 0x08
#define FAULT_DATA_SELECTOR 0x10
#define FAULT_TSS_SELECTOR  0x18

/* Load the tables into the CPU. `post_exit` is used by the handlers and must stay.
 * Precondition: interrupts are off, the firmware is gone. */
void fault_install(struct post_exit *post_exit);

/* Load them again, at the addresses that the image has in the upper half, `displacement` bytes
 * above its own: a kernel that drops the lower half of its tables keeps the handlers. From now on
 * they run on the page tables at `page_table_root`.
 * Precondition: fault_install() was called; the tables at `page_table_root` are live. */
void fault_move_up(uint64_t displacement, uint64_t page_table_root);

/* Where the kernel's entry returns to: says so and stops. */
_Noreturn void fault_kernel_returned(void);

#endif
