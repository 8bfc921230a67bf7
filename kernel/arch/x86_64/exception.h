/*
 * exception.h - from a CPU exception to a panic that names it, and from an interrupt to its
 * handler.
 */
#ifndef KERNEL_ARCH_X86_64_EXCEPTION_H
#define KERNEL_ARCH_X86_64_EXCEPTION_H

#include <stdint.h>

/* What interrupt_entry.S leaves on the stack, lowest address first. */
struct interrupt_frame {
    uint64_t rax, rbx, rcx, rdx, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector;
    uint64_t error_code;
    uint64_t rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};

/* Called by interrupt_entry.S for every vector, with interrupts off. Returns for interrupts that
 * somebody handles; the interrupted code then goes on with what the frame says. */
void interrupt_handle(struct interrupt_frame *frame);

#endif
