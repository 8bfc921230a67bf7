/*
 * enter.S - see enter.h. Microsoft's convention: the argument is in RCX.
 */
#define STATE_ROOT    0
#define STATE_ENTRY   8
#define STATE_HANDOFF 16
#define STATE_STACK   24
#define STATE_EFER    32
#define STATE_CR4     40
#define STATE_PAT     48

#define MSR_EFER           0xc0000080
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_PAT            0x277

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

    /* Everything that is needed later: after the switch of tables only this image, the kernel and
     * the direct map are there. */
    movq STATE_ROOT(%rcx), %rbx
    movq STATE_ENTRY(%rcx), %rsi
    movq STATE_HANDOFF(%rcx), %rdi
    movq STATE_STACK(%rcx), %rbp
    movq STATE_CR4(%rcx), %r8
    movq STATE_PAT(%rcx), %r9
    movl STATE_EFER(%rcx), %eax

    /* EFER before CR3: with NXE off, the no-execute bits in the tables would be reserved bits. */
    xorl %edx, %edx
    movl $MSR_EFER, %ecx
    wrmsr

    /* A change of memory types needs the caches written back around it (Intel SDM Vol. 3A,
     * 12.12.4); the writes to CR3 and CR4 below drop every translation. */
    wbinvd
    testq %r9, %r9
    jz enter_kernel_without_pat
    movl $MSR_PAT, %ecx
    movl %r9d, %eax
    movq %r9, %rdx
    shrq $32, %rdx
    wrmsr
enter_kernel_without_pat:
    movq %rbx, %cr3
    movq %rbp, %rsp

    /* Clearing PGE first drops global translations of the firmware, setting it keeps ours. */
    movq %r8, %rax
    andq $~0x80, %rax
    movq %rax, %cr4
    movq %r8, %cr4
    movl $CR0_VALUE, %eax
    movq %rax, %cr0

    fninit
    pushq $MXCSR_VALUE
    ldmxcsr (%rsp)
    addq $8, %rsp
    movl $DR7_VALUE, %eax
    movq %rax, %dr7
    write_msr_zero MSR_FS_BASE
    write_msr_zero MSR_GS_BASE
    write_msr_zero MSR_KERNEL_GS_BASE

    /* The address to return to stays on the stack; the entry below it is popped by the jump, and
     * the flags below that by POPFQ: last, since clearing registers sets some. */
    leaq enter_kernel_returned(%rip), %rax
    pushq %rax
    pushq %rsi
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
    andq $-16, %rsp
    subq $32, %rsp
    call fault_kernel_returned
    ud2
