/*
 * provoke.c - raise CPU exceptions on purpose, each by an instruction that always raises it.
 */
#include "kernel/arch.h"
#include "shared/text/text.h"

static void provoke_divide(void)
{
    __asm__ volatile("xorl %%edx, %%edx\n\tmovl $1, %%eax\n\txorl %%ecx, %%ecx\n\tdivl %%ecx"
                     :
                     :
                     : "eax", "ecx", "edx", "cc");
}

static void provoke_undefined(void)
{
    __asm__ volatile("ud2");
}

static void provoke_breakpoint(void)
{
    __asm__ volatile("int3");
}

static void provoke_general_protection(void)
{
    __asm__ volatile("movq (%0), %%rax" : : "r"(UINT64_C(0x8000000000000000)) : "rax");
}

/* The first vector that belongs to devices. */
static void provoke_unexpected_interrupt(void)
{
    __asm__ volatile("int $0x20");
}

/* Set an invalid frame pointer, then fault: the backtrace must stop by itself. */
static void provoke_bad_frame_chain(void)
{
    __asm__ volatile("movq %0, %%rbp\n\tud2" : : "r"(UINT64_C(0xffff123412341230)));
}

/* Without its gate, a page fault becomes a double fault. Without that gate too, the machine resets.
 * A test of the harness needs such a reset. */
static void provoke_triple_fault(void)
{
    static const struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } empty = {0, 0};
    __asm__ volatile("lidt %0\n\tud2" : : "m"(empty));
}

/* RET. */
#define RETURN_INSTRUCTION 0xc3

void arch_provoke_write_return(void *memory)
{
    *(volatile uint8_t *)memory = RETURN_INSTRUCTION;
}

/* The local APIC's registers, where every CPU has them at power-on (Intel SDM Vol. 3A, 11.4.1). */
#define LOCAL_APIC_BASE UINT64_C(0xfee00000)

struct arch_device arch_provoke_device(void)
{
    return (struct arch_device){"local APIC", phys_addr(LOCAL_APIC_BASE), PAGE_SIZE_BYTES};
}

struct provocation {
    const char *name;
    void (*raise)(void);
};

static const struct provocation provocations[] = {
    {"divide", provoke_divide},
    {"undefined", provoke_undefined},
    {"breakpoint", provoke_breakpoint},
    {"general-protection", provoke_general_protection},
    {"unexpected-interrupt", provoke_unexpected_interrupt},
    {"bad-frame-chain", provoke_bad_frame_chain},
    {"triple-fault", provoke_triple_fault},
};

#define PROVOCATION_COUNT (sizeof provocations / sizeof provocations[0])

const char *arch_provoke_name(size_t index)
{
    return index < PROVOCATION_COUNT ? provocations[index].name : NULL;
}

bool arch_provoke(const char *name)
{
    for (size_t i = 0; i < PROVOCATION_COUNT; i++) {
        if (text_equal(name, provocations[i].name)) {
            provocations[i].raise();
            return true;
        }
    }
    return false;
}
