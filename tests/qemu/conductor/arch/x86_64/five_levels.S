/*
 * five_levels.S - void five_levels_enter(uint64_t root): switch the machine to five levels of page
 * tables. Microsoft's convention: the root is in RCX.
 *
 * CR4.LA57 cannot be changed while 64-bit code runs (Intel SDM Vol. 3A, 4.1.2). So the code goes
 * through 32-bit code without paging. This image, the stack and the root lie below 4 GiB.
 */
#include "shared/arch/x86_64/control.h"

#define CODE_64_SELECTOR 0x08
#define DATA_SELECTOR    0x10
#define CODE_32_SELECTOR 0x18

    .data
    .balign 16
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
gdt_end:
own_gdt:
    .word gdt_end - gdt - 1
    .quad 0
firmware_gdt:
    .word 0
    .quad 0
    .balign 8
far_32:
    .long 0, CODE_32_SELECTOR
far_64:
    .long 0, CODE_64_SELECTOR
saved_stack:
    .quad 0

    .text
    .globl five_levels_enter
five_levels_enter:
    pushfq
    cli
    /* The upper halves of all registers are undefined afterwards. */
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movl %cs, %eax
    pushq %rax
    movl %ss, %eax
    pushq %rax
    movq %rsp, saved_stack(%rip)

    sgdt firmware_gdt(%rip)
    leaq gdt(%rip), %rax
    movq %rax, own_gdt+2(%rip)
    leaq code_32(%rip), %rax
    movl %eax, far_32(%rip)
    leaq code_64(%rip), %rax
    movl %eax, far_64(%rip)
    leaq far_64(%rip), %rbx
    lgdt own_gdt(%rip)
    ljmpl *far_32(%rip)

    .code32
code_32:
    movl $DATA_SELECTOR, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %cr0, %eax
    btrl $CR0_BIT_PAGING, %eax
    movl %eax, %cr0
    movl %cr4, %eax
    btsl $CR4_BIT_FIVE_LEVELS, %eax
    movl %eax, %cr4
    movl %ecx, %cr3
    movl %cr0, %eax
    btsl $CR0_BIT_PAGING, %eax
    movl %eax, %cr0
    ljmpl *(%ebx)

    .code64
code_64:
    movq saved_stack(%rip), %rsp
    lgdt firmware_gdt(%rip)
    popq %rax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    popq %rax
    leaq with_firmware_gdt(%rip), %rdx
    pushq %rax
    pushq %rdx
    lretq
with_firmware_gdt:
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popfq
    retq
