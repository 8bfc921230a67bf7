/*
 * fault_entry.S - where the CPU enters the loader's handlers.
 *
 * Functions are called by Microsoft's convention: first arguments in RCX and RDX, 32 bytes of
 * shadow space above the return address.
 */
#include "shared/arch/x86_64/control.h"

    .text

/* One stub a vector, 4 bytes each: descriptor_tables.c computes their addresses. The last one,
 * number 32, serves every vector that is not an exception, and needs no jump. fault_handle() knows
 * for which vectors the CPU has pushed an error code. */
    .globl fault_stubs
fault_stubs:
    .set vector, 0
    .rept 32
    pushq $vector
    jmp fault_common
    .set vector, vector + 1
    .endr
    pushq $vector
    .org fault_stubs + 32 * 4 + 2 /* fails if a jump is longer */

fault_common:
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    /* A kernel that has loaded its own CR3 may map only this image in the upper half. So the report
     * runs on the loader's tables, which map everything that it needs. */
    movq %rsp, %rcx
    movq %cr3, %rdx
    movq fault_page_table_root(%rip), %rax
    testq %rax, %rax
    jz 1f
    /* A write to CR3 keeps the TLB entries of the kernel's global pages. Clearing PGE drops
     * them. */
    movq %cr4, %rbx
    btrq $CR4_BIT_GLOBAL_PAGES, %rbx
    movq %rbx, %cr4
    movq %rax, %cr3
1:
    andq $-16, %rsp
    subq $32, %rsp
    call fault_handle
    ud2
