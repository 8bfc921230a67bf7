/* lesson_call.S - lesson_arch_call() and lesson_arch_leave() (kernel/diagnostics/lessons/lesson_arch.h).
 *
 * The call keeps the registers that a function must not change (System V x86-64 psABI 3.2.1) on its
 * stack, and remembers their address. lesson_arch_leave() uses this address, not the stack pointer.
 */
    .text
    .globl lesson_arch_call
lesson_arch_call:
    pushq %rbp
    movq %rsp, %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp /* the stack pointer is a multiple of 16 at the call */
    movq %rsp, lesson_stack(%rip)
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    movl $1, %eax
    jmp return

    .globl lesson_arch_leave
lesson_arch_leave:
    movq lesson_stack(%rip), %rsp
    xorl %eax, %eax
return:
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

    .local lesson_stack
    .comm lesson_stack, 8, 8
