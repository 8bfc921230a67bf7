/* runtime_service.S - the call of a firmware service.
 *
 * arch_call_runtime_service(root, service, a1, a2, a3, a4): the Microsoft x64 convention of UEFI
 * (UEFI 2.10, 2.3.4.2) under another root. The stack is in the upper half, which both roots share.
 * UEFI wants 32 bytes of home space and a 16-byte aligned stack at the call. SMAP and SMEP do not
 * matter: the firmware's pages are supervisor pages. */
    .text
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
