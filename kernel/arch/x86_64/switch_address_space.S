/* switch_address_space.S - the step onto the kernel's own tables and stack.
 *
 * arch_switch_address_space(root, stack_top, next, argument): the frame-pointer chain ends in
 * `next`.
 */
    .text
    .globl arch_switch_address_space
arch_switch_address_space:
    movq %rdi, %cr3
    movq %rsi, %rsp
    xorl %ebp, %ebp
    movq %rcx, %rdi
    call *%rdx
    ud2
