/*
 * control.h - the control registers that page protection hangs on (Intel SDM Vol. 3A, 4.1).
 */
#ifndef CONDUCTOR_ARCH_X86_64_CONTROL_H
#define CONDUCTOR_ARCH_X86_64_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#define CR0_WRITE_PROTECT      (UINT64_C(1) << 16)
#define MSR_EFER               0xc0000080u
#define EFER_NO_EXECUTE_ENABLE 0x800u

/* Whether the supervisor's writes obey read-only pages. */
static inline void control_write_protect(bool enable)
{
    uint64_t cr0;
    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    cr0 = enable ? cr0 | CR0_WRITE_PROTECT : cr0 & ~CR0_WRITE_PROTECT;
    __asm__ volatile("movq %0, %%cr0" : : "r"(cr0) : "memory");
}

static inline void control_enable_no_execute(void)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
    low |= EFER_NO_EXECUTE_ENABLE;
    __asm__ volatile("wrmsr" : : "a"(low), "d"(high), "c"(MSR_EFER));
}

static inline uint64_t control_table_root(void)
{
    uint64_t cr3;
    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    return cr3 & ~UINT64_C(0xfff);
}

static inline void control_flush_translations(void)
{
    uint64_t cr3;
    __asm__ volatile("movq %%cr3, %0\n\tmovq %0, %%cr3" : "=r"(cr3) : : "memory");
}

#endif
