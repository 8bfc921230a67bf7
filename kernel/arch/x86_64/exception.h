/*
 * exception.h - from a CPU exception to a panic that names it.
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

_Noreturn void exception_handle(const struct interrupt_frame *frame);

#endif
