/*
 * instructions.h - the instructions that C cannot express, as functions, for loader and kernel.
 *
 * Most are privileged: at a lower privilege level they raise #GP. (Intel SDM Vol. 2.)
 */
#ifndef SHARED_ARCH_X86_64_INSTRUCTIONS_H
#define SHARED_ARCH_X86_64_INSTRUCTIONS_H

#include <stdbool.h>
#include <stdint.h>

static inline void port_write_8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_write_16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint16_t port_read_16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void port_write_32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t port_read_8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t port_read_32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void interrupts_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline uint64_t flags_read(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    return flags;
}

static inline void flags_write(uint64_t flags)
{
    __asm__ volatile("pushq %0\n\tpopfq" : : "r"(flags) : "memory", "cc");
}

static inline void interrupts_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void spin_pause(void)
{
    __asm__ volatile("pause");
}

/* Sleep until an interrupt was handled. */
static inline void wait_for_interrupt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

/* No access to memory passes it, and no later instruction begins before it. */
static inline void memory_fence(void)
{
    __asm__ volatile("mfence\n\tlfence" : : : "memory");
}

/* Write the write-combining buffers to memory (Intel SDM Vol. 3A, 12.3.1). Every CPU with 64-bit
 * mode has SFENCE. */
static inline void write_combining_flush(void)
{
    __asm__ volatile("sfence" : : : "memory");
}

_Noreturn static inline void halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

/* It does not check that the CPU has the leaf: cpuid.h does. */
struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result result;
    __asm__ volatile("cpuid"
                     : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx), "=d"(result.edx)
                     : "a"(leaf), "c"(subleaf));
    return result;
}

static inline uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t cr0_read(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void cr0_write(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t cr2_read(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t cr3_read(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void cr3_write(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t cr4_read(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void cr4_write(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* The format that SGDT and SIDT store (Intel SDM Vol. 3A, 2.4.1, 2.4.3). */
struct descriptor_table_register {
    uint16_t limit; /* the size in bytes, less one */
    uint64_t base;
} __attribute__((packed));

static inline struct descriptor_table_register gdt_read(void)
{
    struct descriptor_table_register value;
    __asm__ volatile("sgdt %0" : "=m"(value));
    return value;
}

/* The segment registers keep the descriptors that they have loaded. */
static inline void gdt_write(const struct descriptor_table_register *value)
{
    __asm__ volatile("lgdt %0" : : "m"(*value) : "memory");
}

/* The selector of the TSS; 0 if none was loaded since the reset. */
static inline uint16_t task_register_read(void)
{
    uint16_t selector;
    __asm__ volatile("str %0" : "=r"(selector));
    return selector;
}

/* The CPU reads the descriptor from the GDT, and marks it there as busy. */
static inline void task_register_write(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

static inline struct descriptor_table_register idt_read(void)
{
    struct descriptor_table_register value;
    __asm__ volatile("sidt %0" : "=m"(value));
    return value;
}

static inline void idt_write(const struct descriptor_table_register *value)
{
    __asm__ volatile("lidt %0" : : "m"(*value) : "memory");
}

static inline uint16_t code_selector_read(void)
{
    uint16_t value;
    __asm__ volatile("mov %%cs, %0" : "=r"(value));
    return value;
}

static inline uint64_t stack_pointer_read(void)
{
    uint64_t value;
    __asm__ volatile("mov %%rsp, %0" : "=r"(value));
    return value;
}

/* CR8: interrupts of this class of priorities, and of the ones below, wait. */
static inline void task_priority_write(uint64_t class)
{
    __asm__ volatile("mov %0, %%cr8" : : "r"(class) : "memory");
}

static inline void invalidate_page(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline uint64_t timestamp_read(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Execute RDRAND. Return false if the CPU has no random number ready. Precondition: CPUID reports
 * RDRAND.
 */
static inline bool random_read(uint64_t *ret_random)
{
    uint64_t value;
    bool is_valid;
    __asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(is_valid));
    if (is_valid)
        *ret_random = value;
    return is_valid;
}

#endif
