/*
 * fault.h - decode an exception of the CPU into the struct of bootloader/arch.h. Common code names
 * and reports it.
 */
#ifndef BOOTLOADER_ARCH_X86_64_FAULT_H
#define BOOTLOADER_ARCH_X86_64_FAULT_H

#include "bootloader/arch.h"

/* The CPU pushes this on an interrupt, lowest address first (Intel SDM Vol. 3A, figure 6-9). */
struct interrupted {
    uint64_t rip, cs, rflags, rsp, ss;
};

/* fault_entry.S pushes this below it, and below an error code, if there is one. */
struct fault_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t pushed[]; /* by the CPU: the error code, if there is one; then struct interrupted */
};

/* Set the functions that get the faults. The sink is copied; its context must stay. */
void fault_set_sink(const struct arch_fault_sink *sink);

/* From now on a report runs on these page tables; before, on those that are live. */
void fault_set_page_tables(uint64_t root);

/* Called by fault_entry.S for every vector, with the CR3 of the time of the fault. */
_Noreturn void fault_handle(const struct fault_frame *frame, uint64_t cr3);

/* Where the kernel's entry returns to. */
_Noreturn void fault_kernel_returned(void);

#endif
