/* registers.S - the caller's registers, for a panic.
 *
 * arch_capture_registers(next, context): call next(context, registers) with the registers as they
 * are here, the return address as the program counter and the stack pointer as after a return.
 */
#include "kernel/arch/x86_64/registers.h"

    .text
    .globl arch_capture_registers
arch_capture_registers:
    pushfq
    subq $REGISTERS_SIZE_BYTES, %rsp
    movq %rax, REGISTERS_RAX(%rsp)
    movq %rbx, REGISTERS_RBX(%rsp)
    movq %rcx, REGISTERS_RCX(%rsp)
    movq %rdx, REGISTERS_RDX(%rsp)
    movq %rbp, REGISTERS_RBP(%rsp)
    movq %rsi, REGISTERS_RSI(%rsp)
    movq %rdi, REGISTERS_RDI(%rsp)
    movq %r8, REGISTERS_R8(%rsp)
    movq %r9, REGISTERS_R9(%rsp)
    movq %r10, REGISTERS_R10(%rsp)
    movq %r11, REGISTERS_R11(%rsp)
    movq %r12, REGISTERS_R12(%rsp)
    movq %r13, REGISTERS_R13(%rsp)
    movq %r14, REGISTERS_R14(%rsp)
    movq %r15, REGISTERS_R15(%rsp)
    movq $0, REGISTERS_VECTOR(%rsp)
    movq $0, REGISTERS_ERROR_CODE(%rsp)
    /* Above the structure: the flags, then the return address. */
    movq REGISTERS_SIZE_BYTES(%rsp), %rax
    movq %rax, REGISTERS_RFLAGS(%rsp)
    movq REGISTERS_SIZE_BYTES + 8(%rsp), %rax
    movq %rax, REGISTERS_RIP(%rsp)
    leaq REGISTERS_SIZE_BYTES + 16(%rsp), %rax
    movq %rax, REGISTERS_RSP(%rsp)
    movl %cs, %eax
    movq %rax, REGISTERS_CS(%rsp)
    movl %ss, %eax
    movq %rax, REGISTERS_SS(%rsp)
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rsp, %rsi
    /* Flags, return address and the structure's 22 words: the stack is 16-byte aligned. */
    call *%rax
    ud2
