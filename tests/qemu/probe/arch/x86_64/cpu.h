/*
 * cpu.h - the instructions that the probe needs, and the CPU state that its entry stub saves.
 */
#ifndef PROBE_ARCH_X86_64_CPU_H
#define PROBE_ARCH_X86_64_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes that SGDT and SIDT store: ten of these 16. */
struct __attribute__((packed)) cpu_table_register {
    uint16_t limit;
    uint64_t base;
    uint8_t unused[6];
};

/* entry.S writes it before any other code runs. */
struct entry_state {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t return_word; /* at RSP */
    uint64_t rflags;
    struct cpu_table_register gdt;
    struct cpu_table_register idt;
    uint16_t cs, ss, ds, es, fs, gs, tr, ldtr;
    uint32_t mxcsr;
    /* FNSTENV stores 16 bits in each of the first three (Intel SDM Vol. 1, 8.1.10). */
    uint32_t x87_control, x87_status, x87_tags;
    uint32_t x87_pointers[4];
};
_Static_assert(offsetof(struct entry_state, return_word) == 0x80, "entry.S");
_Static_assert(offsetof(struct entry_state, idt) == 0xa0, "entry.S");
_Static_assert(offsetof(struct entry_state, cs) == 0xb0, "entry.S");
_Static_assert(offsetof(struct entry_state, mxcsr) == 0xc0, "entry.S");
_Static_assert(sizeof(struct entry_state) == 28 * 8, "entry.S");
extern const struct entry_state entry_state;

/* Call itself until the stack overflows. Never return. */
void recurse_for_ever(void);

static inline uint8_t cpu_port_read8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void cpu_port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint64_t cpu_read_msr(uint32_t number)
{
    uint32_t low;
    uint32_t high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_read_tsc(void)
{
    uint32_t low;
    uint32_t high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline uint64_t cpu_read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline uint64_t cpu_read_dr7(void)
{
    uint64_t value;
    __asm__ volatile("mov %%dr7, %0" : "=r"(value));
    return value;
}

/* Return registers of a CPUID leaf of the extended range, or 0 if the CPU has no such leaf. */
static inline void cpu_extended_leaf(uint32_t leaf, uint32_t *ret_eax, uint32_t *ret_edx)
{
    uint32_t eax = UINT32_C(0x80000000);
    uint32_t ebx;
    uint32_t ecx = 0;
    uint32_t edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    bool has_leaf = eax >= leaf;
    eax = leaf;
    ecx = 0;
    if (has_leaf)
        __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    *ret_eax = has_leaf ? eax : 0;
    *ret_edx = has_leaf ? edx : 0;
}

static inline uint32_t cpu_extended_features(uint32_t leaf)
{
    uint32_t eax;
    uint32_t edx;
    cpu_extended_leaf(leaf, &eax, &edx);
    return edx;
}

/* From CPUID leaf 0x80000008. A CPU without this leaf has 36 bits (Intel SDM Vol. 3A, 4.1.4). */
static inline uint32_t cpu_physical_address_bits(void)
{
    uint32_t eax;
    uint32_t edx;
    cpu_extended_leaf(UINT32_C(0x80000008), &eax, &edx);
    return (eax & 0xff) != 0 ? eax & 0xff : 36;
}

/* Return EDX of CPUID leaf 1. Every CPU has this leaf. */
static inline uint32_t cpu_basic_features(void)
{
    uint32_t eax = 1;
    uint32_t ebx;
    uint32_t ecx = 0;
    uint32_t edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return edx;
}

static inline void cpu_undefined_instruction(void)
{
    __asm__ volatile("ud2");
}

static inline void cpu_breakpoint(void)
{
    __asm__ volatile("int3");
}

_Noreturn static inline void cpu_halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

#endif
