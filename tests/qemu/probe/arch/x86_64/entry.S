/* entry.S - save every register with the value that the loader gave it, before code can change it.
 *
 * MOV changes no flags, and the code needs no stack until it has read them. The record is in .data:
 * nothing may write to .bss until the probe has checked that it is zero.
 */
    .section .data.entry, "aw", @progbits
    .balign 16
    .globl entry_state
entry_state:
    .fill 28, 8, 0 /* struct entry_state */

    .section .text.entry, "ax", @progbits
    .globl probe_entry
probe_entry:
    movq %rax, entry_state+0x00(%rip)
    movq %rbx, entry_state+0x08(%rip)
    movq %rcx, entry_state+0x10(%rip)
    movq %rdx, entry_state+0x18(%rip)
    movq %rsi, entry_state+0x20(%rip)
    movq %rdi, entry_state+0x28(%rip)
    movq %rbp, entry_state+0x30(%rip)
    movq %rsp, entry_state+0x38(%rip)
    movq %r8, entry_state+0x40(%rip)
    movq %r9, entry_state+0x48(%rip)
    movq %r10, entry_state+0x50(%rip)
    movq %r11, entry_state+0x58(%rip)
    movq %r12, entry_state+0x60(%rip)
    movq %r13, entry_state+0x68(%rip)
    movq %r14, entry_state+0x70(%rip)
    movq %r15, entry_state+0x78(%rip)
    movq (%rsp), %rax
    movq %rax, entry_state+0x80(%rip)
    pushfq
    popq entry_state+0x88(%rip)
    sgdt entry_state+0x90(%rip)
    sidt entry_state+0xa0(%rip)
    movw %cs, entry_state+0xb0(%rip)
    movw %ss, entry_state+0xb2(%rip)
    movw %ds, entry_state+0xb4(%rip)
    movw %es, entry_state+0xb6(%rip)
    movw %fs, entry_state+0xb8(%rip)
    movw %gs, entry_state+0xba(%rip)
    str entry_state+0xbc(%rip)
    sldt entry_state+0xbe(%rip)
    stmxcsr entry_state+0xc0(%rip)
    fnstenv entry_state+0xc4(%rip)

    /* probe_main() returns only so that the entry returns: the word on the stack must be there. */
    subq $8, %rsp
    call probe_main
    addq $8, %rsp
    ret

    .section .text
/* uint64_t recurse_for_ever(void): it calls itself until the stack overflows. */
    .globl recurse_for_ever
recurse_for_ever:
    call recurse_for_ever
    ret
