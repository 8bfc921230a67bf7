/*
 * level_switch.S - see level_switch.h. The code is copied, with struct level_switch at its start, and
 * runs in the copy. So every address is relative to RBX, which points to the struct. Entered from
 * 64-bit code by a far jump into a 32-bit segment.
 */
#include "shared/arch/x86_64/control.h"

#define LEVEL_SWITCH_STATE     0
#define LEVEL_SWITCH_RETURN    8
#define LEVEL_SWITCH_CODE_64   24
#define LEVEL_SWITCH_TOP_TABLE 32

#define CODE_64_SELECTOR 0x08
#define DATA_SELECTOR    0x10
#define CODE_32_SELECTOR 0x18

    .text
    .globl level_switch_page
    .globl level_switch_code_32
    .globl level_switch_code_64
    .globl level_switch_page_end

/* struct level_switch; the zeros are filled in by level_switch_prepare(). */
level_switch_page:
    .quad 0, 0
    .long 0, CODE_32_SELECTOR
    .long 0, CODE_64_SELECTOR
    .long 0, 0
    .word 0, 0, 0
    .word gdt_end - gdt - 1
    .quad 0
gdt:
    /* None; flat, present, accessed: 64-bit code, data, 32-bit code. */
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
gdt_end:

    .code32
level_switch_code_32:
    movl $DATA_SELECTOR, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss

    /* Leave long mode. The next instruction has the same address without paging. */
    movl %cr0, %eax
    btrl $CR0_BIT_PAGING, %eax
    movl %eax, %cr0
    movl %cr4, %eax
    btcl $CR4_BIT_FIVE_LEVELS, %eax /* on becomes off, and off becomes on */
    movl %eax, %cr4
    movl LEVEL_SWITCH_TOP_TABLE(%ebx), %eax
    movl %eax, %cr3
    /* Enter long mode again: EFER.LME is still set. */
    movl %cr0, %eax
    btsl $CR0_BIT_PAGING, %eax
    movl %eax, %cr0
    ljmpl *LEVEL_SWITCH_CODE_64(%ebx)

    .code64
level_switch_code_64:
    /* The upper halves of all registers are undefined now. This clears that of RBX. */
    movl %ebx, %ebx
    movq LEVEL_SWITCH_STATE(%rbx), %rcx
    jmpq *LEVEL_SWITCH_RETURN(%rbx)
level_switch_page_end:
