/*
 * enter.S - see enter.h. Microsoft's convention: the argument is in RCX.
 */
#include "bootloader/arch/x86_64/descriptor_tables.h"
#include "shared/arch/x86_64/control.h"

#define STATE_ROOT    0
#define STATE_ENTRY   8
#define STATE_HANDOFF 16
#define STATE_STACK   24
#define STATE_EFER    32
#define STATE_CR4     40
#define STATE_PAT     48

#define STATE_LEVEL_SWITCH 56
#define STATE_SWITCH_ROOT 64
#define STATE_DISPLACEMENT 72
#define STATE_SWITCHED 80
#define STATE_CONTEXT 88

#define LEVEL_SWITCH_CODE_32 16
#define LEVEL_SWITCH_GDT     46

#define CR0_VALUE    0x80010033 /* PG, WP, NE, ET, MP, PE */
#define DR7_VALUE    0x400      /* no breakpoints */
#define RFLAGS_VALUE 2          /* interrupts off, direction up; bit 1 is always set */
#define MXCSR_VALUE  0x1f80     /* all SIMD exceptions masked */

#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK  0xa1

.macro write_msr_zero msr
    movl $\msr, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
.endm

    .text
    .globl enter_kernel
enter_kernel:
    cli
    movb $0xff, %al
    outb %al, $PIC_MASTER_MASK
    outb %al, $PIC_SLAVE_MASK

    /* EFER before CR3: with NXE off, the no-execute bits in the tables would be reserved bits. */
    movq %rcx, %rbx
    movl STATE_EFER(%rbx), %eax
    xorl %edx, %edx
    movl $MSR_EFER, %ecx
    wrmsr

    /* A change of memory types needs the caches written back around it (Intel SDM Vol. 3A,
     * 12.12.4); the writes to CR3 and CR4 below drop every translation. */
    wbinvd
    movl STATE_PAT(%rbx), %eax
    movl STATE_PAT+4(%rbx), %edx
    testl %eax, %eax
    jz enter_kernel_without_pat
    movl $MSR_PAT, %ecx
    wrmsr
enter_kernel_without_pat:

    /* Clearing PGE drops global translations of the firmware, which ours must not meet. LA57 cannot
     * be changed here. With a level switch, the firmware's value is the opposite of the kernel's. */
    movq STATE_CR4(%rbx), %rcx
    btrq $CR4_BIT_GLOBAL_PAGES, %rcx
    movq STATE_LEVEL_SWITCH(%rbx), %rdx
    testq %rdx, %rdx
    jz enter_with_own_tables
    btcq $CR4_BIT_FIVE_LEVELS, %rcx
    movq %rcx, %cr4
    movq STATE_SWITCH_ROOT(%rbx), %rax
    movq %rax, %cr3
    movq %rdx, %rbx
    lgdt LEVEL_SWITCH_GDT(%rbx)
    ljmpl *LEVEL_SWITCH_CODE_32(%rbx)

    /* RCX is *state again. */
    .globl enter_with_new_levels
enter_with_new_levels:
    movq %rcx, %rbx
    movq STATE_CR4(%rbx), %rcx
    btrq $CR4_BIT_GLOBAL_PAGES, %rcx

enter_with_own_tables:
    movq %rcx, %cr4
    movq STATE_ROOT(%rbx), %rax
    movq %rax, %cr3
    movq STATE_STACK(%rbx), %rsp
    movq STATE_CR4(%rbx), %rax
    movq %rax, %cr4
    movl $CR0_VALUE, %eax
    movq %rax, %cr0

    /* The level switch loses GDT and TSS; this loads them again, too. */
    movq STATE_DISPLACEMENT(%rbx), %rcx
    movq STATE_ROOT(%rbx), %rdx
    subq $32, %rsp
    call descriptor_tables_move_up
    movq STATE_CONTEXT(%rbx), %rcx
    call *STATE_SWITCHED(%rbx)
    addq $32, %rsp
    fninit
    pushq $MXCSR_VALUE
    ldmxcsr (%rsp)
    addq $8, %rsp
    movl $DR7_VALUE, %eax
    movq %rax, %dr7
    write_msr_zero MSR_FS_BASE
    write_msr_zero MSR_GS_BASE
    write_msr_zero MSR_KERNEL_GS_BASE

    /* The return address stays on the stack. Below it is the entry point, which RET takes, and
     * below that the flags for POPFQ. POPFQ comes last, since clearing registers changes flags. */
    leaq enter_kernel_returned(%rip), %rax
    addq STATE_DISPLACEMENT(%rbx), %rax
    pushq %rax
    pushq STATE_ENTRY(%rbx)
    movq STATE_HANDOFF(%rbx), %rdi
    pushq $RFLAGS_VALUE
    xorl %eax, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    popfq
    retq

enter_kernel_returned:
    cli
    cld
    /* Tables and stack of the loader: the kernel may have come here on its own. Without PGE none of
     * its global pages stays. */
    leaq fault_stacks+FAULT_STACK_SIZE_BYTES-32(%rip), %rsp
    movq %cr4, %rax
    btrq $CR4_BIT_GLOBAL_PAGES, %rax
    movq %rax, %cr4
    movq fault_page_table_root(%rip), %rax
    movq %rax, %cr3
    call fault_kernel_returned
    ud2
