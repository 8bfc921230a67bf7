/* entry.S - the kernel's first instructions, and the step onto its own tables and stack.
 *
 * State at kernel_entry: docs/HANDOFF.md, "The CPU at entry".
 */
    .section .text.entry, "ax", @progbits
    .globl kernel_entry
    .type kernel_entry, @function
kernel_entry:
    /* RDI: virtual address of struct handoff. The frame-pointer chain ends here. */
    xorl %ebp, %ebp
    call kernel_main
    ud2
    /* With a size, debuggers prefer this name to the linker script's for the same address. */
    .size kernel_entry, . - kernel_entry

/* arch_switch_address_space(root, stack_top, next, argument) */
    .text
    .globl arch_switch_address_space
arch_switch_address_space:
    movq %rdi, %cr3
    movq %rsi, %rsp
    xorl %ebp, %ebp
    movq %rcx, %rdi
    call *%rdx
    ud2

/* arch_capture_registers(registers): the caller's registers, as they are after the return. */
    .globl arch_capture_registers
arch_capture_registers:
    movq %rax, 0x00(%rdi)
    movq %rbx, 0x08(%rdi)
    movq %rcx, 0x10(%rdi)
    movq %rdx, 0x18(%rdi)
    movq %rsi, 0x20(%rdi)
    movq %rdi, 0x28(%rdi)
    movq %rbp, 0x30(%rdi)
    leaq 8(%rsp), %rax
    movq %rax, 0x38(%rdi)
    movq %r8, 0x40(%rdi)
    movq %r9, 0x48(%rdi)
    movq %r10, 0x50(%rdi)
    movq %r11, 0x58(%rdi)
    movq %r12, 0x60(%rdi)
    movq %r13, 0x68(%rdi)
    movq %r14, 0x70(%rdi)
    movq %r15, 0x78(%rdi)
    movq (%rsp), %rax
    movq %rax, 0x80(%rdi)
    pushfq
    popq 0x88(%rdi)
    movq 0x00(%rdi), %rax
    ret

/* arch_call_runtime_service(root, service, a1, a2, a3, a4): the Microsoft x64 convention of UEFI
 * (UEFI 2.10, 2.3.4.2) under another root. The stack is in the upper half, which both roots share.
 * UEFI wants 32 bytes of home space and a 16-byte aligned stack at the call. SMAP and SMEP do not
 * matter: the firmware's pages are supervisor pages. */
    .globl arch_call_runtime_service
arch_call_runtime_service:
    pushq %rbp
    movq %rsp, %rbp
    pushq %rbx
    pushq %rsi
    movq %cr3, %rbx
    andq $-16, %rsp
    subq $32, %rsp
    movq %rdi, %cr3
    movq %rsi, %rax
    movq %r8, %r10
    movq %r9, %r11
    movq %rcx, %rsi
    movq %rdx, %rcx
    movq %rsi, %rdx
    movq %r10, %r8
    movq %r11, %r9
    call *%rax
    movq %rbx, %cr3
    movq -8(%rbp), %rbx
    leave
    ret
