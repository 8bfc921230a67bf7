/*
 * late_reset.S - the code of a ResetSystem that reads memory of boot services. late_reset.c copies
 * it to memory of runtime services, and fills in the three words at its end.
 */
    .data
    .balign 8
    .globl late_reset_code
late_reset_code:
    movq late_reset_page(%rip), %rax
    movq (%rax), %rax
    cmpq late_reset_content(%rip), %rax
    jne 1f
    jmp *late_reset_real(%rip)
1:  movabsq $0x8000000000000007, %rax /* EFI_DEVICE_ERROR */
    retq
    .balign 8
    .globl late_reset_page
late_reset_page:
    .quad 0
late_reset_content:
    .quad 0
late_reset_real:
    .quad 0
    .globl late_reset_end
late_reset_end:
