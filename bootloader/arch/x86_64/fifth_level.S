/*
 * fifth_level.S - see fifth_level.h. The code is copied, with struct fifth_level at its start, and
 * runs in the copy. So every address is relative to RBX, which points to the struct. Entered from
 * 64-bit code by a far jump into a 32-bit segment.
 */
#include "shared/arch/x86_64/control.h"

#define FIFTH_LEVEL_STATE     0
#define FIFTH_LEVEL_RETURN    8
#define FIFTH_LEVEL_CODE_64   24
#define FIFTH_LEVEL_TOP_TABLE 32

#define CODE_64_SELECTOR 0x08
#define DATA_SELECTOR    0x10
#define CODE_32_SELECTOR 0x18

    .text
    .globl fifth_level_page
    .globl fifth_level_code_32
    .globl fifth_level_code_64
    .globl fifth_level_page_end

/* struct fifth_level; the zeros are filled in by fifth_level_prepare(). */
fifth_level_page:
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
fifth_level_code_32:
    movl $DATA_SELECTOR, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss

    /* Leave long mode. The next instruction has the same address without paging. */
    movl %cr0, %eax
    btrl $CR0_BIT_PAGING, %eax
    movl %eax, %cr0
    movl %cr4, %eax
    btsl $CR4_BIT_FIVE_LEVELS, %eax
    movl %eax, %cr4
    movl FIFTH_LEVEL_TOP_TABLE(%ebx), %eax
    movl %eax, %cr3
    /* Enter long mode again: EFER.LME is still set. */
    movl %cr0, %eax
    btsl $CR0_BIT_PAGING, %eax
    movl %eax, %cr0
    ljmpl *FIFTH_LEVEL_CODE_64(%ebx)

    .code64
fifth_level_code_64:
    /* The upper halves of all registers are undefined now. This clears that of RBX. */
    movl %ebx, %ebx
    movq FIFTH_LEVEL_STATE(%rbx), %rcx
    jmpq *FIFTH_LEVEL_RETURN(%rbx)
fifth_level_page_end:
