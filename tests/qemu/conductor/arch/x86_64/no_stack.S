/*
 * no_stack.S - code that has no stack. Microsoft's convention: the argument is in RCX.
 */
    .text
/* _Noreturn void no_stack_push(uint64_t stack_pointer): a push faults. */
    .globl no_stack_push
no_stack_push:
    movq %rcx, %rsp
    pushq %rax
    ud2

/* _Noreturn void no_stack_wait(uint64_t stack_pointer): the firmware's next interrupt faults. */
    .globl no_stack_wait
no_stack_wait:
    movq %rcx, %rsp
    sti
1:  pause
    jmp 1b
