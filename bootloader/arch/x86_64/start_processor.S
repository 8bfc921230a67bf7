/*
 * start_processor.S - see start_processor.h. All code here is copied, and runs in the copies. So it
 * has no address of its own: it uses offsets from the start of the page, or RIP.
 */
#include "bootloader/arch/x86_64/descriptor_tables.h"
#include "shared/arch/x86_64/control.h"

/* The words of a segment: flat, present, accessed (so that the CPU never writes to the table); 64-bit
 * code, data. */
#define SEGMENT_LOW       0x0000ffff
#define SEGMENT_CODE_HIGH 0x00af9b00
#define SEGMENT_DATA_HIGH 0x00cf9300

/* struct start_page */
#define START_ROOT         8
#define START_CR4          12
#define START_EFER         16
#define START_MISC_ENABLE  20
#define START_CODE_64      24
#define START_GDT          46

/* struct parking_header, one page behind the code */
#define HEADER_DISTANCE  4096
#define HEADER_COUNT     512
#define HEADER_X2APIC    516
#define HEADER_SIZE      1024

/* struct parking_seat */
#define SEAT_ENTRY       0
#define SEAT_ARGUMENT    8
#define SEAT_STACK       16
#define SEAT_ROOT        24
#define SEAT_STATE       32
#define SEAT_FAULT_PLACE 40
#define SEAT_FAULT_CR2   48
#define SEAT_ID          64
#define SEAT_OWN_STACK   72
#define SEAT_GDT         80
#define SEAT_GDT_SIZE    40
#define SEAT_REGISTER    126 /* the operand of LGDT: its base is aligned */
#define SEAT_TSS         136
#define SEAT_NMI_STACK   368 /* its end: an NMI may interrupt the handler of a fault */
#define SEAT_SIZE        512

/* Of the virtual addresses of code, header and seats, the bits from 24 on are the same. */
#define VIRTUAL_HIGH     0xffffff00
#define VIRTUAL_BITS_24  0x80

#define TSS_SIZE         104
#define TSS_STACK_1      36
#define TSS_STACK_2      44
#define TSS_DESCRIPTOR   0x8900 /* available, present; bits 32 to 47 of the descriptor */
#define GATE_DESCRIPTOR  0x8e01 /* interrupt gate, present, interrupt stack 1; bits 32 to 47 */
#define GATE_COUNT       32
#define VECTOR_NMI       2

#define STATE_WAITS   1
#define STATE_TAKEN   2
#define STATE_FAULTED 3

/* The CPU's frame, at the end of the seat. */
#define FRAME_RIP_IN_SEAT (SEAT_SIZE - 40)
#define FRAME_RFLAGS      16
#define FRAME_RSP         24

#define CR0_VALUE      0x80010033 /* as in enter.S */
#define RFLAGS_VALUE   2
#define MXCSR_VALUE    0x1f80
#define APIC_BASE_BITS 0xc00 /* enabled, x2APIC mode */

#define CPUID_FEATURES    1
#define CPUID_EDX_BIT_PAT 16
#define CPUID_TOPOLOGY    0xb

/* PAGE_ENTRY_PAT_MSR_VALUE */
#define PAT_LOW  0x00070406
#define PAT_HIGH 0x00070106

.macro write_msr_zero msr
    movl $\msr, %ecx
    wrmsr
.endm

    .text
    .globl start_page
    .globl start_code_64
    .globl start_page_end
    .code16
start_page:
    jmp start_code_16
    .balign 8
    .long 0, 0, 0, 0
    .long 0, SELECTOR_CODE
start_parking_code:
    .long 0x80000000 + (parking_code - start_page), VIRTUAL_HIGH
    .word 0, 0, 0
    .word start_segments_end - start_segments - 1
    .quad 0
start_segments:
    .quad 0
    .long SEGMENT_LOW, SEGMENT_CODE_HIGH, SEGMENT_LOW, SEGMENT_DATA_HIGH
start_segments_end:

/* CS is the page's number with four zero bits behind it, and IP is 0. */
start_code_16:
    cli
    movw %cs, %ax
    movw %ax, %ds
    lgdtl START_GDT
    movl START_CR4, %eax
    movl %eax, %cr4
    movl START_ROOT, %eax
    movl %eax, %cr3
    /* With NX switched off, EFER would refuse NXE. */
    movl START_MISC_ENABLE, %ebx
    testl %ebx, %ebx
    jz 1f
    movl $MSR_MISC_ENABLE, %ecx
    rdmsr
    andl %ebx, %edx
    wrmsr
1:
    movl $MSR_EFER, %ecx
    movl START_EFER, %eax
    xorl %edx, %edx
    wrmsr
    /* Paging and protection together. The next instruction has the same address in both modes. */
    movl $CR0_VALUE, %eax
    movl %eax, %cr0
    ljmpl *START_CODE_64

    .code64
start_code_64:
    jmpq *start_parking_code(%rip)

/* RBP: the header. RBX: the seat. There is no stack before the seat is found. */
parking_code:
    leaq start_page(%rip), %rbp
    addq $HEADER_DISTANCE, %rbp
    movl $CPUID_FEATURES, %eax
    cpuid
    movl %edx, %esi
    shrl $24, %ebx
    movl %ebx, %edi
    xorl %eax, %eax
    cpuid
    cmpl $CPUID_TOPOLOGY, %eax
    jb 1f
    movl $CPUID_TOPOLOGY, %eax
    xorl %ecx, %ecx
    cpuid
    testl %ebx, %ebx
    cmovnzl %edx, %edi
1:
    leaq HEADER_SIZE(%rbp), %rbx
    movl HEADER_COUNT(%rbp), %ecx
3:
    cmpl %edi, SEAT_ID(%rbx)
    je 4f
    addq $SEAT_SIZE, %rbx
    decl %ecx
    jnz 3b
    jmp parking_wait /* it has no seat: the loader did not start it */
4:
    /* The GDT. The descriptor of the TSS has the parts of its base at three places. */
    movl $SEGMENT_LOW, SEAT_GDT+SELECTOR_CODE(%rbx)
    movl $SEGMENT_CODE_HIGH, SEAT_GDT+SELECTOR_CODE+4(%rbx)
    movl $SEGMENT_LOW, SEAT_GDT+SELECTOR_DATA(%rbx)
    movl $SEGMENT_DATA_HIGH, SEAT_GDT+SELECTOR_DATA+4(%rbx)
    leal SEAT_TSS(%rbx), %eax
    movw $TSS_SIZE-1, SEAT_GDT+SELECTOR_TASK_STATE(%rbx)
    movl %eax, SEAT_GDT+SELECTOR_TASK_STATE+2(%rbx)
    movl $TSS_DESCRIPTOR | VIRTUAL_BITS_24 << 24, %edx
    shrl $16, %eax
    movb %al, %dl
    movl %edx, SEAT_GDT+SELECTOR_TASK_STATE+4(%rbx)
    movl $VIRTUAL_HIGH, SEAT_GDT+SELECTOR_TASK_STATE+8(%rbx)
    leaq SEAT_SIZE(%rbx), %rax
    movq %rax, SEAT_TSS+TSS_STACK_1(%rbx)
    leaq SEAT_NMI_STACK(%rbx), %rax
    movq %rax, SEAT_TSS+TSS_STACK_2(%rbx)
    movw $SEAT_GDT_SIZE-1, SEAT_REGISTER(%rbx)
    leaq SEAT_GDT(%rbx), %rax
    movq %rax, SEAT_REGISTER+2(%rbx)
    lgdt SEAT_REGISTER(%rbx)

    /* The IDT: all processors write the same. The middle of each address is 0x8000. */
    movl $GATE_COUNT, %ecx
    movq %rbp, %rdi
5:
    movl $SELECTOR_CODE << 16 | (parking_fault - start_page), %eax
    movl $VIRTUAL_BITS_24 << 24 | GATE_DESCRIPTOR, %edx
    cmpb $GATE_COUNT - VECTOR_NMI, %cl
    jne 6f
    movw $parking_nmi - start_page, %ax
    incl %edx /* interrupt stack 2 */
6:
    movl %eax, (%rdi)
    movl %edx, 4(%rdi)
    movl $VIRTUAL_HIGH, 8(%rdi)
    addq $16, %rdi
    decl %ecx
    jnz 5b
    lidt parking_idt(%rip)
    movq SEAT_OWN_STACK(%rbx), %rsp
    movl $SELECTOR_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $SELECTOR_TASK_STATE, %eax
    ltr %ax
    btl $CPUID_EDX_BIT_PAT, %esi
    jnc 7f
    movl $PAT_LOW, %eax
    movl $PAT_HIGH, %edx
    movl $MSR_PAT, %ecx
    wrmsr
7:
    cmpl $0, HEADER_X2APIC(%rbp)
    je 8f
    movl $MSR_APIC_BASE, %ecx
    rdmsr
    orl $APIC_BASE_BITS, %eax
    wrmsr
8:
    fninit
    pushq $MXCSR_VALUE
    ldmxcsr (%rsp)
    xorl %eax, %eax
    xorl %edx, %edx
    movl %eax, %fs
    movl %eax, %gs
    lldt %ax
    write_msr_zero MSR_FS_BASE
    write_msr_zero MSR_GS_BASE
    write_msr_zero MSR_KERNEL_GS_BASE
    xorl %ecx, %ecx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    movl $STATE_WAITS, SEAT_STATE(%rbx)
    xorl %ebx, %ebx
parking_wait:
    hlt
    jmp parking_wait

/* An NMI that is not for a waiting processor returns to the interrupted code. */
parking_nmi:
    pushq %rax
    movq %rsp, %rax
    andq $-SEAT_SIZE, %rax
    cmpl $STATE_WAITS, SEAT_STATE(%rax)
    jne 1f
    cmpq $0, SEAT_ENTRY(%rax)
    jne 2f
1:
    popq %rax
    iretq
2:
    movq SEAT_ENTRY(%rax), %rsi
    movq SEAT_ARGUMENT(%rax), %rdi
    movq SEAT_STACK(%rax), %rdx
    movq SEAT_ROOT(%rax), %rcx
    movl $STATE_TAKEN, SEAT_STATE(%rax)
    popq %rax
    /* IRETQ lets the next NMI in. It comes before the change of the tables, so that the kernel's
     * tables need not map the seat for it. */
    leaq parking_leave(%rip), %rax
    movq %rax, (%rsp)
    movq $RFLAGS_VALUE, FRAME_RFLAGS(%rsp)
    movq %rdx, FRAME_RSP(%rsp)
    xorl %eax, %eax
    xorl %edx, %edx
    iretq
/* The flags stay as IRETQ has set them. The entry's return address is 0. */
parking_leave:
    movq %rcx, %cr3
    movl $0, %ecx
    pushq $0
    pushq %rsi
    movl $0, %esi
    retq

/* Record the fault, and stop. */
parking_fault:
    andq $-SEAT_SIZE, %rsp
    movq FRAME_RIP_IN_SEAT(%rsp), %rax
    movq %rax, SEAT_FAULT_PLACE(%rsp)
    movq %cr2, %rax
    movq %rax, SEAT_FAULT_CR2(%rsp)
    movl $STATE_FAULTED, SEAT_STATE(%rsp)
    jmp parking_wait

parking_idt:
    .word GATE_COUNT * 16 - 1
    .long 0x80000000 + HEADER_DISTANCE, VIRTUAL_HIGH
start_page_end:
