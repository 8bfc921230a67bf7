/* descriptor_tables_activate(gdt, idt): load both, and every register that caches a descriptor. */
#include "kernel/arch/x86_64/descriptor_tables.h"

    .text
    .globl descriptor_tables_activate
descriptor_tables_activate:
    lgdt (%rdi)
    lidt (%rsi)
    movl $SELECTOR_KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    lldt %ax
    movl $SELECTOR_TASK_STATE, %eax
    ltr %ax
    /* CS is loaded by a far return only. */
    popq %rax
    pushq $SELECTOR_KERNEL_CODE
    pushq %rax
    lretq
