/* interrupt_entry.S - the entries of all interrupt and exception vectors, with one stack layout.
 *
 * The CPU pushes SS, RSP, RFLAGS, CS, RIP and, for some exceptions, an error code (Intel SDM Vol.
 * 3A, figure 6-9 and table 6-1). The entries push a zero where the CPU does not, then the vector,
 * so that interrupt_handle() sees one struct arch_registers (registers.h) for all.
 */
    .text

#define VECTORS_WITH_ERROR_CODE 0x60227d00 /* 8, 10…14, 17, 21, 29, 30 */

    .balign 16
    .globl interrupt_entries
interrupt_entries:
    .set vector, 0
    .rept 256
    .balign 16
    .if vector >= 32
        pushq $0
    .elseif ((VECTORS_WITH_ERROR_CODE >> vector) & 1) == 0
        pushq $0
    .endif
    pushq $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr
    .balign 16

interrupt_common:
    pushq %r15
    pushq %r14
    pushq %r13
    pushq %r12
    pushq %r11
    pushq %r10
    pushq %r9
    pushq %r8
    pushq %rdi
    pushq %rsi
    pushq %rbp
    pushq %rdx
    pushq %rcx
    pushq %rbx
    pushq %rax
    cld
    movq %rsp, %rdi
    /* The CPU aligns the stack to 16 bytes, and the frame's size keeps this alignment. A frame
     * pointer of the interrupted code stays in RBP, so the backtrace continues there. */
    call interrupt_handle
    popq %rax
    popq %rbx
    popq %rcx
    popq %rdx
    popq %rbp
    popq %rsi
    popq %rdi
    popq %r8
    popq %r9
    popq %r10
    popq %r11
    popq %r12
    popq %r13
    popq %r14
    popq %r15
    addq $16, %rsp /* vector and error code */
    iretq
