/*
 * registers.h - the registers of interrupted code, as they lie on the stack. Outside of this folder
 * struct arch_registers is opaque (kernel/arch.h).
 *
 * interrupt_entry.S writes this for every interrupt and exception. arch_capture_registers() writes
 * it for a panic that the kernel raises by itself.
 */
#ifndef KERNEL_ARCH_X86_64_REGISTERS_H
#define KERNEL_ARCH_X86_64_REGISTERS_H

/* Offsets for registers.S. */
#define REGISTERS_RAX        0x00
#define REGISTERS_RBX        0x08
#define REGISTERS_RCX        0x10
#define REGISTERS_RDX        0x18
#define REGISTERS_RBP        0x20
#define REGISTERS_RSI        0x28
#define REGISTERS_RDI        0x30
#define REGISTERS_R8         0x38
#define REGISTERS_R9         0x40
#define REGISTERS_R10        0x48
#define REGISTERS_R11        0x50
#define REGISTERS_R12        0x58
#define REGISTERS_R13        0x60
#define REGISTERS_R14        0x68
#define REGISTERS_R15        0x70
#define REGISTERS_VECTOR     0x78
#define REGISTERS_ERROR_CODE 0x80
#define REGISTERS_RIP        0x88
#define REGISTERS_CS         0x90
#define REGISTERS_RFLAGS     0x98
#define REGISTERS_RSP        0xa0
#define REGISTERS_SS         0xa8
#define REGISTERS_SIZE_BYTES 0xb0

#ifndef __ASSEMBLER__
#include <stdint.h>

struct arch_registers {
    uint64_t rax, rbx, rcx, rdx, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector;     /* of the interrupt or exception; 0 in a capture */
    uint64_t error_code; /* of the exception; 0 where it has none */
    uint64_t rip, cs, rflags, rsp, ss;
};
#endif

#endif
