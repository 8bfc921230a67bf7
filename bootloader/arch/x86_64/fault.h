/*
 * fault.h - decode an exception of the CPU into a struct arch_fault (bootloader/arch.h). Code that
 * is common to all CPUs reports it.
 */
#ifndef BOOTLOADER_ARCH_X86_64_FAULT_H
#define BOOTLOADER_ARCH_X86_64_FAULT_H

#include "bootloader/arch.h"

/* The CPU pushes these on an interrupt. Lowest address first (Intel SDM Vol. 3A, figure 6-9). */
struct interrupted {
    uint64_t rip, cs, rflags, rsp, ss;
};

/* fault_entry.S pushes these below struct interrupted, and below the error code, if there is one.
 */
struct fault_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t pushed[]; /* by the CPU: the error code, if there is one; then struct interrupted */
};

/* Set the receiver of faults. The sink is copied; its context must stay valid. */
void fault_set_sink(const struct arch_fault_sink *sink);

/* Run reports on these page tables from now on. Before this call they run on the live tables. */
void fault_set_page_tables(uint64_t root);

/* Report a fault. fault_entry.S calls it for every vector, with the CR3 at the time of the fault.
 */
_Noreturn void fault_handle(const struct fault_frame *frame, uint64_t cr3);

/* Report that the kernel's entry has returned. Its return address is this function. */
_Noreturn void fault_kernel_returned(void);

#endif
