/*
 * descriptor_tables_activate.S - load both tables, and every register that caches a descriptor.
 * Microsoft's convention: the arguments are in RCX and RDX.
 */
#include "bootloader/arch/x86_64/descriptor_tables.h"

    .text
/* void descriptor_tables_activate(const struct table_register *gdt,
 *                                 const struct table_register *idt) */
    .globl descriptor_tables_activate
descriptor_tables_activate:
    lgdt (%rcx)
    lidt (%rdx)
    popq %rax
    pushq $SELECTOR_CODE
    pushq %rax
    movl $SELECTOR_DATA, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl %ecx, %ss
    xorl %ecx, %ecx
    movl %ecx, %fs
    movl %ecx, %gs
    lldt %cx
    movl $SELECTOR_TASK_STATE, %ecx
    ltr %cx
    lretq
