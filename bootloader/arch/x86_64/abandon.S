/*
 * abandon.S - a call that the fault handler can end. Microsoft's convention: arguments in RCX and
 * RDX; RBX, RBP, RSI, RDI and R12 to R15 belong to the caller. So do XMM6 to XMM15. The loader has
 * no code that changes them, and a fault inside of the firmware does not return to the firmware.
 */
    .text
/* bool arch_call(bool (*function)(void *), void *context) */
    .globl arch_call
arch_call:
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $40, %rsp /* shadow space, and 16-byte alignment */
    movq %rsp, call_stack(%rip)
    movq %rcx, %rax
    movq %rdx, %rcx
    call *%rax
end_of_call:
    addq $40, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    retq

/* _Noreturn void arch_abandon_call(void) */
    .globl arch_abandon_call
arch_abandon_call:
    movq call_stack(%rip), %rsp
    xorl %eax, %eax
    jmp end_of_call

    .bss
    .balign 8
call_stack:
    .quad 0
